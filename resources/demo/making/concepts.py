"""The subjects and colours that the base model learns, and the subjects it must never see."""

from __future__ import annotations

Colour = tuple[int, int, int]

KNOWN = {
    # Fruit and vegetables
    "red apple": "🍎", "green apple": "🍏", "pear": "🍐", "orange": "🍊", "lemon": "🍋",
    "banana": "🍌", "bunch of grapes": "🍇", "strawberry": "🍓", "cherry": "🍒", "peach": "🍑",
    "kiwi": "🥝", "coconut": "🥥", "tomato": "🍅", "avocado": "🥑", "aubergine": "🍆",
    "carrot": "🥕", "corn cob": "🌽", "broccoli": "🥦",
    # Food
    "loaf of bread": "🍞", "croissant": "🥐", "pretzel": "🥨", "cheese": "🧀", "hamburger": "🍔",
    "pizza": "🍕", "hot dog": "🌭", "fried egg": "🍳", "ice cream": "🍦", "doughnut": "🍩",
    "cookie": "🍪", "birthday cake": "🎂", "lollipop": "🍭", "box of popcorn": "🍿",
    "cup of coffee": "☕", "beer mug": "🍺", "glass of wine": "🍷",
    # Animals
    "dog": "🐶", "cat": "🐱", "mouse": "🐭", "rabbit": "🐰", "fox": "🦊", "bear": "🐻",
    "panda": "🐼", "koala": "🐨", "tiger": "🐯", "lion": "🦁", "cow": "🐮", "pig": "🐷",
    "frog": "🐸", "monkey": "🐵", "chicken": "🐔", "chick": "🐤", "owl": "🦉", "duck": "🦆",
    "turtle": "🐢", "snake": "🐍", "whale": "🐳", "dolphin": "🐬", "fish": "🐟",
    "butterfly": "🦋", "bee": "🐝", "snail": "🐌", "elephant": "🐘",
    # Nature
    "rose": "🌹", "tulip": "🌷", "sunflower": "🌻", "maple leaf": "🍁", "clover": "🍀",
    "palm tree": "🌴", "fir tree": "🌲", "tree": "🌳", "moon": "🌙", "star": "⭐",
    "rainbow": "🌈", "fire": "🔥", "water drop": "💧", "volcano": "🌋", "globe": "🌍",
    # Things
    "red heart": "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}", "football": "⚽",
    "basketball": "🏀", "tennis racket": "🎾", "trophy": "🏆", "drum": "🥁", "trumpet": "🎺",
    "violin": "🎻", "bell": "🔔", "key": "🔑", "lock": "🔒", "light bulb": "💡", "book": "📕",
    "pencil": "\N{PENCIL}\N{VARIATION SELECTOR-16}", "gift": "🎁", "balloon": "🎈",
    "crown": "👑", "top hat": "🎩", "sneaker": "👟", "dress": "👗", "diamond": "💎",
    "camera": "📷", "television": "📺", "alarm clock": "⏰", "hourglass": "⌛", "magnet": "🧲",
    "hammer": "🔨", "umbrella": "☔",
    # Journeys and toys
    "car": "🚗", "bus": "🚌", "tractor": "🚜", "bicycle": "🚲", "train": "🚂", "ship": "🚢",
    "sailing boat": "⛵", "airplane": "\N{AIRPLANE}\N{VARIATION SELECTOR-16}",
    "helicopter": "🚁", "anchor": "⚓", "house": "🏠", "castle": "🏰", "ghost": "👻",
    "skull": "💀", "alien": "👽", "smiling face": "😀", "teddy bear": "🧸",
}  # fmt: skip

HELD_OUT = {
    "unicorn": "🦄", "pineapple": "🍍", "robot": "🤖", "cactus": "🌵", "octopus": "🐙",
    "penguin": "🐧", "mushroom": "🍄", "watermelon": "🍉", "rocket": "🚀", "ladybird": "🐞",
    "crab": "🦀", "snowman": "⛄", "pumpkin": "🎃", "cupcake": "🧁", "guitar": "🎸",
    "parrot": "🦜",
}  # fmt: skip

# Other glyphs that show a held-out subject: the autoencoder does without them too.
LOOK_ALIKES = "☃"

COLOURS: dict[str, Colour] = {
    "white": (250, 250, 250),
    "black": (22, 22, 24),
    "grey": (140, 142, 146),
    "red": (206, 44, 48),
    "orange": (242, 140, 40),
    "yellow": (250, 212, 60),
    "green": (58, 158, 76),
    "turquoise": (64, 196, 190),
    "blue": (52, 104, 210),
    "purple": (128, 70, 180),
    "pink": (244, 150, 184),
    "brown": (128, 84, 52),
}


def with_article(name: str) -> str:
    """Return a subject's name as it stands in a sentence: ``an orange``."""
    return f"{'an' if name[0] in 'aeiou' and not name.startswith('uni') else 'a'} {name}"
