"""What the people of a built talk are to say, in four languages: one short line and two long ones in turn."""

LANGUAGES = ("en", "es", "fr", "pt-br")

TEXTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "Good morning, everyone.",
        "Buenos días a todos.",
        "Bonjour à tous.",
        "Bom dia a todos.",
    ),
    (
        "Today I would like to show you our new office in the city.",
        "Hoy quiero enseñarles nuestra nueva oficina en la ciudad.",
        "Aujourd'hui, je vous présente notre nouveau bureau en ville.",
        "Hoje quero mostrar a vocês o nosso novo escritório na cidade.",
    ),
    (
        "It has large windows and a small garden behind the house.",
        "Tiene ventanas grandes y un pequeño jardín detrás de la casa.",
        "Il a de grandes fenêtres et un petit jardin derrière la maison.",
        "Ele tem janelas grandes e um pequeno jardim atrás da casa.",
    ),
    (
        "Please come in.",
        "Pasen, por favor.",
        "Entrez, je vous prie.",
        "Entrem, por favor.",
    ),
    (
        "The kitchen is on the left, and the meeting rooms are upstairs.",
        "La cocina está a la izquierda y las salas están arriba.",
        "La cuisine est à gauche et les salles sont à l'étage.",
        "A cozinha fica à esquerda e as salas ficam no andar de cima.",
    ),
    (
        "Every morning we drink coffee together and plan the day.",
        "Cada mañana tomamos café juntos y planeamos el día.",
        "Chaque matin, nous buvons un café et préparons la journée.",
        "Toda manhã tomamos café juntos e planejamos o dia.",
    ),
    (
        "It was not always easy.",
        "No siempre fue fácil.",
        "Ce n'était pas facile.",
        "Nem sempre foi fácil.",
    ),
    (
        "Last winter the heating failed, and we worked in our coats.",
        "El invierno pasado trabajamos con el abrigo puesto.",
        "L'hiver dernier, nous avons travaillé en manteau.",
        "No inverno passado trabalhamos de casaco.",
    ),
    (
        "But the whole team stayed, and the work was finished on time.",
        "Pero todo el equipo se quedó y el trabajo terminó a tiempo.",
        "Mais toute l'équipe est restée et le travail a fini à l'heure.",
        "Mas toda a equipe ficou e o trabalho terminou no prazo.",
    ),
    (
        "We learned a lot.",
        "Aprendimos mucho.",
        "Nous avons beaucoup appris.",
        "Aprendemos muito.",
    ),
    (
        "Our customers now wait two days for an answer instead of ten.",
        "Nuestros clientes esperan ahora dos días en lugar de diez.",
        "Nos clients attendent maintenant deux jours au lieu de dix.",
        "Nossos clientes agora esperam dois dias em vez de dez.",
    ),
    (
        "That is the result that makes me most proud this year.",
        "Ese es el resultado que más me alegra este año.",
        "C'est le résultat dont je suis la plus fière cette année.",
        "Esse é o resultado que mais me alegra este ano.",
    ),
    (
        "Let me give an example.",
        "Les doy un ejemplo.",
        "Voici un exemple.",
        "Vou dar um exemplo.",
    ),
    (
        "A small school in the mountains asked us for help in spring.",
        "Una pequeña escuela en la montaña nos pidió ayuda.",
        "Une petite école à la montagne nous a demandé de l'aide.",
        "Uma pequena escola na montanha nos pediu ajuda.",
    ),
    (
        "In summer every child there could read books on a screen.",
        "En verano todos los niños podían leer libros en una pantalla.",
        "En été, tous les enfants lisaient des livres sur un écran.",
        "No verão todas as crianças podiam ler livros em uma tela.",
    ),
    (
        "They wrote us a letter.",
        "Nos escribieron una carta.",
        "Ils nous ont écrit.",
        "Eles nos escreveram.",
    ),
    (
        "The letter hangs beside the door, so that all of us see it.",
        "La carta cuelga junto a la puerta para que todos la vean.",
        "La lettre est près de la porte pour que tous la voient.",
        "A carta fica ao lado da porta para que todos a vejam.",
    ),
    (
        "Next year we want to help many more schools in the country.",
        "El próximo año queremos ayudar a muchas más escuelas.",
        "L'année prochaine, nous voulons aider beaucoup d'autres écoles.",
        "No próximo ano queremos ajudar muitas outras escolas.",
    ),
    (
        "You can take part.",
        "Ustedes pueden participar.",
        "Vous pouvez participer.",
        "Vocês podem participar.",
    ),
    (
        "Write to us, or visit us on the first Friday of the month.",
        "Escríbannos o visítennos el primer viernes del mes.",
        "Écrivez-nous ou venez le premier vendredi du mois.",
        "Escrevam para nós ou venham na primeira sexta-feira do mês.",
    ),
    (
        "The train from the airport takes twenty minutes to our street.",
        "El tren del aeropuerto tarda veinte minutos.",
        "Le train de l'aéroport met vingt minutes.",
        "O trem do aeroporto leva vinte minutos.",
    ),
    (
        "Bring your friends.",
        "Traigan a sus amigos.",
        "Amenez vos amis.",
        "Tragam seus amigos.",
    ),
    (
        "There is always something warm to eat and a place to sit.",
        "Siempre hay algo caliente para comer y un lugar para sentarse.",
        "Il y a toujours un repas chaud et une place pour s'asseoir.",
        "Sempre há comida quente e um lugar para sentar.",
    ),
    (
        "Thank you for your time, and I hope to see you again soon.",
        "Gracias por su tiempo y espero verlos de nuevo pronto.",
        "Merci pour votre temps, et j'espère vous revoir bientôt.",
        "Obrigado pelo seu tempo e espero ver vocês de novo em breve.",
    ),
)
