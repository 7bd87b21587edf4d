"""What a voice says while it is fitted: short, without pauses, together all sounds of English, and some of
others.
"""

TRAINING = (
    ("en-us", "The old man walked slowly down to the river."),
    ("en-us", "She has chosen a large blue jar for the flowers."),
    ("en-us", "We thought that they would go there by bus."),
    ("en-us", "Five young boys were watching the game on Thursday."),
    ("en-us", "Please bring me another cup of good hot coffee."),
    ("en-us", "My sister usually sings when she is cooking."),
    ("en-us", "The weather should be much better in the morning."),
    ("en-us", "How far is it from your house to the village?"),
    ("en-us", "It is a pleasure to hear your voice again."),
    ("en-us", "Nobody knew which path would lead them out."),
    ("en-us", "A dozen brown eggs lay in the basket on the table."),
    ("en-us", "They joined the queue outside the theatre early."),
    ("es", "La niña quería llevar flores a su abuela."),
    ("fr-fr", "Nous avons beaucoup marché dans la vieille ville."),
    ("it", "Il ragazzo guarda le stelle dalla finestra."),
    ("pt-br", "Amanhã o menino não quer comer pão com queijo."),
    ("hi", "वह रोज़ सुबह बगीचे में टहलने जाता है।"),
    ("fr-fr", "Un bon vin blanc vient avec le pain du matin."),
)
HELD_OUT = (
    ("en-us", "The children gathered shells along the windy shore."),
    ("en-us", "What he said about the journey was quite true."),
)
