#!/usr/bin/env python3
"""Make the magazine's data: short articles written for this example in four languages, and simulated readers."""
import json
import random

rng = random.Random(11)

# topic: (language, title, what it says)
ARTICLES = {
    "volcanoes": [
        ("en", "What makes a volcano wake up", "Magma rises through cracks in the crust, and the pressure of gas decides when the eruption begins."),
        ("en", "Living beside a crater lake", "A village at the foot of an active volcano measures gas and temperature every morning."),
        ("en", "Ash over the harbour", "After the eruption the ash had to be swept from roofs before the rain turned it into cement."),
        ("de", "Wie man einen Vulkanausbruch vorhersagt", "Messgeräte am Krater hören das Magma steigen, lange bevor der Vulkan ausbricht."),
        ("de", "Lava, Asche, fruchtbare Erde", "Warum Menschen seit Jahrtausenden am Fuß der Vulkane siedeln und Wein anbauen."),
        ("fr", "Les volcans endormis d'Auvergne", "Les cratères éteints racontent des éruptions que personne n'a vues."),
        ("es", "La isla que nació de la lava", "Una erupción frente a la costa levantó una isla nueva en pocas semanas."),
    ],
    "bees": [
        ("en", "How a hive chooses a queen", "Worker bees feed a few larvae royal jelly, and the colony follows whoever hatches first."),
        ("en", "A city full of honey", "Beekeepers on the roofs of the city harvest more honey than their colleagues among the fields."),
        ("en", "The dance that means south", "A bee tells the hive where the blossom is by dancing an angle to the sun."),
        ("de", "Ein Bienenvolk zieht um", "Wenn der Schwarm ausfliegt, suchen Kundschafterinnen eine neue Höhle für das Volk."),
        ("de", "Honig aus der Stadt", "Imker auf den Dächern ernten mehr Honig als ihre Kollegen zwischen den Feldern."),
        ("fr", "La ruche en hiver", "Les abeilles se serrent en grappe et gardent la reine au chaud jusqu'au printemps."),
        ("es", "Abejas sin colmena", "La mayoría de las abejas vive sola y cava su nido en el suelo."),
    ],
    "bread": [
        ("en", "Sourdough without fear", "Flour, water and patience: how a starter learns to raise a loaf in a cold kitchen."),
        ("en", "Why crust crackles", "The loaf sings when it leaves the oven, because the crust cools faster than the crumb."),
        ("en", "Rye for beginners", "Rye flour has little gluten, so the dough is shaped with wet hands and baked in a tin."),
        ("de", "Roggenbrot mit Sauerteig", "Drei Stufen braucht der Sauerteig, bis das Roggenbrot im Ofen aufgeht."),
        ("de", "Die Kruste und das Salz", "Wie viel Salz der Teig verträgt und warum die Kruste im Dampf entsteht."),
        ("fr", "Une baguette en quatre gestes", "Pétrir, attendre, façonner, cuire : la farine et le four font le reste."),
        ("es", "Pan de pueblo", "Harina, agua, sal y una noche de espera antes de encender el horno."),
    ],
    "telescopes": [
        ("en", "Your first night with a telescope", "Begin with the moon and the rings of Saturn, and let the mirror cool before you look."),
        ("en", "A mirror as wide as a house", "The new observatory folds its mirror of hexagons to see the faintest galaxies."),
        ("en", "Dark skies, street by street", "A valley dims its lamps at ten, and the Milky Way returns."),
        ("de", "Sterne über dem Balkon", "Ein kleines Teleskop zeigt die Ringe des Saturn auch mitten in der Stadt."),
        ("de", "Der Spiegel in der Wüste", "Das neue Teleskop sammelt das Licht der fernsten Galaxien."),
        ("fr", "Observer la Lune au printemps", "Un petit télescope suffit pour suivre l'ombre dans les cratères de la Lune."),
        ("es", "Noche de galaxias en el desierto", "El telescopio busca galaxias lejanas desde la montaña más seca del mundo."),
    ],
    "night trains": [
        ("en", "Asleep across three borders", "The night train leaves at eight and is over the mountains before breakfast."),
        ("en", "The return of the sleeping car", "Railways that sold their couchettes ten years ago are ordering new sleeping cars."),
        ("en", "Dinner in the last dining car", "A cook, two gas rings, and a kitchen that leans into every curve of the line."),
        ("de", "Im Nachtzug nach Süden", "Der Schlafwagen rollt um acht aus dem Bahnhof und ist zum Frühstück am Meer."),
        ("de", "Neue Schlafwagen für alte Strecken", "Die Bahn bestellt wieder Liegewagen, und die ersten Nachtzüge sind ausgebucht."),
        ("fr", "Le retour des trains de nuit", "Les couchettes se remplissent, et la ligne des Alpes rouvre cet été."),
        ("es", "Un tren nocturno hasta el mar", "El coche cama sale a las diez y llega a la costa con el desayuno."),
    ],
    "chess": [
        ("en", "The endgame with one pawn", "King and pawn against king is won or drawn by a single square of opposition."),
        ("en", "Learning openings backwards", "A coach lets beginners meet the endgame first, and the opening last."),
        ("en", "Blitz in the park", "Five minutes a side, a clock that sticks, and a queen made from a bottle cap."),
        ("de", "Das Endspiel mit einem Bauern", "König und Bauer gegen König: ein einziges Feld entscheidet über Remis oder Sieg."),
        ("de", "Schach im Park", "Fünf Minuten pro Seite, und die Dame ist ein Kronkorken."),
        ("fr", "Le gambit du dimanche", "Au club, on sacrifie un pion dès l'ouverture pour voir qui sait finir la partie."),
        ("es", "La dama y el peón", "Un final de ajedrez que se gana contando casillas."),
    ],
}
NEW = [  # published this morning; nobody has read them
    ("new-volcano", "volcanoes", "en", "The crater that breathes", "A new sensor at the crater counts the gas that leaves the volcano, breath by breath."),
    ("new-honey", "bees", "de", "Der Honig der Linden", "Zwei Wochen blüht die Linde, und jedes Volk der Imker fliegt zu ihr."),
    ("new-train", "night trains", "fr", "La nuit en couchette", "Un train de nuit, six couchettes, et les Alpes au petit matin."),
]
NAMES = ["ada", "bruno", "clara", "dmitri", "eva", "farid", "greta", "hugo", "ines", "jonas", "karin", "luc", "marta", "nils", "olga",
         "paul", "rosa", "sven", "tilda", "ugo", "vera", "willem", "xavi", "yusuf", "zoe"]
READS = [["en"], ["de"], ["en", "de"], ["en", "fr"], ["en", "es"]]


def item(item_id, topic, language, title, content):
    return {"item_id": item_id, "title": title, "content": content, "tags": [topic], "language": language}


items = [item(f"a{n:02}", topic, *article) for n, (topic, article) in
         enumerate(((topic, article) for topic, several in ARTICLES.items() for article in several), 1)]
users, rows = [], []
for n in range(75):
    reader = NAMES[n % 25] + ("" if n < 25 else str(n // 25 + 1))
    languages, topics = READS[n % 5], rng.sample(list(ARTICLES), 2)
    users.append({"user_id": reader, "languages": languages})
    for a in items:
        if a["language"] not in languages or rng.random() < 0.25:
            continue
        keen = a["tags"][0] in topics
        if not keen and rng.random() < 0.75:
            continue
        row = {"user_id": reader, "item_id": a["item_id"], "read_time": int(rng.uniform(120, 420) if keen else rng.uniform(5, 60))}
        if rng.random() < 0.6:
            row["liked"] = keen
        rows.append(row)
users.append({"user_id": "newcomer", "languages": ["en"], "interests": ["telescopes", "galaxies"]})


def write(path, values):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


write("items.ndjson", items + [item(*new) for new in NEW])
write("users.ndjson", users)
write("interactions.ndjson", rows)
for n, user in enumerate(users[:25]):
    top = sorted({items[int(r["item_id"][1:]) - 1]["tags"][0] for r in rows if r["user_id"] == user["user_id"] and r["read_time"] > 60})
    print(user["user_id"], user["languages"], top)
