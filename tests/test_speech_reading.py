"""Numbers, dates, times, money, units, abbreviations and addresses, read as people read them."""

import pytest

from voicelip.speech.reading import read

ENGLISH = [
    ("1,234,567 people", "one million two hundred thirty-four thousand five hundred sixty-seven people"),
    ("3.14", "three point one four"),
    ("In 1999, in 2024 and 2005", "In nineteen ninety-nine, in twenty twenty-four and two thousand five"),
    ("the 1990s and the '80s", "the nineteen nineties and the eighties"),
    ("from 1939-1945", "from nineteen thirty-nine to nineteen forty-five"),
    ("March 3, 2024", "March third, twenty twenty-four"),
    ("Jan. 5th", "January fifth"),
    ("3 March 2024", "the third of March twenty twenty-four"),
    ("12/31/2024 or 2024-12-31", "December thirty-first, twenty twenty-four or December thirty-first, "
     "twenty twenty-four"),
    ("10:30 a.m.", "ten thirty A M."),
    ("at 9:05, 10:00 and 14:00", "at nine oh five, ten o'clock and fourteen hundred"),
    ("5pm", "five P M"),
    ("the 1st, 2nd and 21st", "the first, second and twenty-first"),
    ("$3.50", "three dollars and fifty cents"),
    ("$1.01 and €0.99", "one dollar and one cent and ninety-nine cents"),
    ("$3.5 million", "three point five million dollars"),
    ("£1, -£2, 5 EUR", "one pound, minus two pounds, five euros"),
    ("5-10 km/h", "five to ten kilometers per hour"),
    ("1 kg, 2 kg, 1.5 kg", "one kilogram, two kilograms, one point five kilograms"),
    ("-5°C and 3,000 m²", "minus five degrees Celsius and three thousand square meters"),
    ("50% of 1/2 and 2½", "fifty percent of one half and two and a half"),
    ("100 Mbps", "one hundred megabits per second"),
    ("Dr. Smith and Mrs. Jones, e.g. at St. John St.", "Doctor Smith and Missus Jones, for example at Saint "
     "John Street."),
    ("No. 5 and #7, pp. 12-15", "number five and number seven, pages twelve to fifteen"),
    ("He said no.", "He said no."),
    ("Henry VIII in World War II", "Henry the eighth in World War two"),
    ("the book I read", "the book I read"),
    ("joe.doe@example.com", "joe dot doe at example dot com"),
    ("https://www.example.co.uk/about", "W W W dot example dot C O dot U K slash about"),
    ("example.org.", "example dot org."),
    ("+1 555-123-4567", "plus one, five five five, one two three, four five six seven"),
    ("R&D, B2B, mp3, 007", "R and D, B two B, mp three, zero zero seven"),
    ("v1.2.3", "v one point two point three"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("a 3-2 win", "a three two win"),
]  # fmt: skip
BRITISH = [
    ("1,101", "one thousand one hundred and one"),
    ("31/12/2024", "the thirty-first of December twenty twenty-four"),
    ("March 3", "March the third"),
]
SPANISH = [
    ("1.234,56", "mil doscientos treinta y cuatro coma cincuenta y seis"),
    ("21 personas, 21 años, 21", "veintiuna personas, veintiún años, veintiuno"),
    ("1 hora, 1 día, 200 casas", "una hora, un día, doscientas casas"),
    ("el 1 de marzo de 2024", "el primero de marzo de dos mil veinticuatro"),
    ("31/12/2024", "treinta y uno de diciembre de dos mil veinticuatro"),
    ("a las 10:30 h", "a las diez y treinta"),
    ("a la 1:15", "a la una y quince"),
    ("3,50 €", "tres euros con cincuenta céntimos"),
    ("£200", "doscientas libras"),
    ("3,5 millones de euros", "tres coma cinco millones de euros"),
    ("1 t y 120 km/h", "una tonelada y ciento veinte kilómetros por hora"),
    ("50 %", "cincuenta por ciento"),
    ("El Sr. García, 1.º y 2ª", "El señor García, primero y segunda"),
    ("el siglo XXI", "el siglo veintiuno"),
    ("ana@correo.es", "ana arroba correo punto E S"),
]
FRENCH = [
    ("1 000 000 de personnes", "un million de personnes"),
    ("3,14", "trois virgule quatorze"),
    ("le 1er mars 2024", "le premier mars deux mille vingt-quatre"),
    ("31/12/2024", "trente-et-un décembre deux mille vingt-quatre"),
    ("à 10h30, 1h et 21:00", "à dix heures trente, une heure et vingt-et-une heures"),
    ("3,50 €", "trois euros et cinquante centimes"),
    ("5 M€", "cinq millions d'euros"),
    ("1 tonne, 20 °C", "une tonne, vingt degrés Celsius"),
    ("M. Dupont et Mme Curie", "monsieur Dupont et madame Curie"),
    ("le XIXe siècle, Louis XIV", "le dix-neuvième siècle, Louis quatorze"),
    ("1re, 2e et 3ème", "première, deuxième et troisième"),
    ("06 12 34 56 78", "zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit"),
    ("jean@exemple.fr", "jean arobase exemple point F R"),
    ("Le train du XIXe siècle. Ce soir", "Le train du dix-neuvième siècle. Ce soir"),
]
ITALIAN = [
    ("1.234,5 kg", "milleduecentotrentaquattro virgola cinque chilogrammi"),
    ("1 anno, 21 persone", "un anno, ventuna persone"),
    ("il 1° maggio 2024", "il primo maggio duemilaventiquattro"),
    ("alle 10:30", "alle dieci e trenta"),
    ("3,50 €", "tre euro e cinquanta centesimi"),
    ("100 km/h, 50%", "cento chilometri orari, cinquanta per cento"),
    ("il dott. Rossi e la sig.ra Bianchi", "il dottor Rossi e la signora Bianchi"),
    ("il XXI secolo", "il ventunesimo secolo"),
    ("www.esempio.it", "W W W punto esempio punto I T"),
]
PORTUGUESE = [
    ("R$ 10,50", "dez reais e cinquenta centavos"),
    ("US$ 2 milhões", "dois milhões de dólares"),
    ("2 pessoas, 21 dias", "duas pessoas, vinte e um dias"),
    ("31/12/2024", "trinta e um de dezembro de dois mil e vinte e quatro"),
    ("às 10:30 e às 14h", "às dez e trinta e às catorze horas"),
    ("2 kg, 50%", "dois quilogramas, cinquenta por cento"),
    ("o Sr. Silva, 1º e 2ª", "o senhor Silva, primeiro e segunda"),
    ("o século XXI", "o século vinte e um"),
    ("ana@correio.br", "ana arroba correio ponto B R"),
]
HINDI = [
    ("12,34,567 लोग", "बारह लाख चौंतीस हज़ार पाँच सौ सड़सठ लोग"),
    ("१२३", "एक सौ तेईस"),
    ("3.14", "तीन दशमलव एक चार"),
    ("₹500.50", "पाँच सौ रुपये पचास पैसे"),
    ("15/08/2024", "पन्द्रह अगस्त दो हज़ार चौबीस"),
    ("10:30 बजे", "दस बजकर तीस मिनट"),
    ("5 किमी, 20°C, 50%", "पाँच किलोमीटर, बीस डिग्री सेल्सियस, पचास प्रतिशत"),
    ("डॉ. शर्मा, 2रा", "डॉक्टर शर्मा, दूसरा"),
]
TABLES = {
    "en-us": ENGLISH, "en-gb": BRITISH, "es": SPANISH, "fr-fr": FRENCH, "it": ITALIAN, "pt-br": PORTUGUESE,
    "hi": HINDI,
}  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "written", "spoken"),
    [(lang, written, spoken) for lang, table in TABLES.items() for written, spoken in table],
)
def test_it_reads_as_people_do(lang: str, written: str, spoken: str) -> None:
    assert " ".join(word.spoken for word in read(written, lang)) == spoken


@pytest.mark.parametrize("lang", TABLES)
def test_nothing_that_is_written_gets_lost(lang: str) -> None:
    text = " ".join(written for written, _ in TABLES[lang])
    assert " ".join(word.written for word in read(text, lang)) == " ".join(text.split())


@pytest.mark.parametrize("lang", TABLES)
def test_no_digit_is_left_for_the_engine(lang: str) -> None:
    text = "7, 12.5, 3/4, 99%, A4, 1.2.3.4, 00123, 5x7, 12:34, 1-2-3, 4²"
    spoken = " ".join(word.spoken for word in read(text, lang))
    assert not any(char.isdigit() and char != "²" for char in spoken)


def test_loose_marks_join_the_words_they_belong_to() -> None:
    words = read("« Oui », dit-il — ça va ?", "fr-fr")
    assert [word.written for word in words] == ["« Oui »,", "dit-il —", "ça", "va ?"]
    assert words[-1].spoken == "va?"


def test_an_unknown_language_is_spoken_as_written() -> None:
    assert [word.spoken for word in read("5 Äpfel", "de")] == ["5", "Äpfel"]
