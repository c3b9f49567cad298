# SPDX-License-Identifier: GPL-3.0-or-later
"""What people say to the demo episode: thirty questions with the passage that answers each, and eighty commands; and
what they say to each other."""

from tests.demo import TEN_QUESTIONS, DemoQuestion

THIRTY_QUESTIONS = (
    *TEN_QUESTIONS,
    DemoQuestion("What is technical alignment?", "I call that technical alignment", "You write down what you want"),
    DemoQuestion("How is alignment like riding a bicycle?", "No, it is more like keeping", "The moment you stop"),
    DemoQuestion("Who is Elias Brandt?", "That is Elias Brandt", "He spent ten years"),
    DemoQuestion("Why does the drawer matter so much?", "If you treat a being as a tool", "Both mistakes"),
    DemoQuestion("Why is a hammer a tool?", "A hammer is a tool", "With a being"),
    DemoQuestion("What would convince you that nobody is home?", "If I could swap out", "A mind that cannot"),
    DemoQuestion("How long do cut flowers look aligned?", "Yes, cut flowers", "A machine with goals"),
    DemoQuestion("What happened to the enchanted broom?", "The apprentice enchants", "People say the lesson"),
    DemoQuestion("What was missing in that cellar?", "What was missing", "It was somebody who cared"),
    DemoQuestion("What did the old master do wrong?", "I think the lesson is about", "The broom obeyed"),
    DemoQuestion("What does homeostasis mean?", "Homeostasis means", "A thermostat has"),
    DemoQuestion("What does the second layer keep healthy?", "The second layer keeps", "The third layer"),
    DemoQuestion("What is a moral patient?", "When I find three layers", "A baby is a moral patient"),
    DemoQuestion("How long does an agent live alone in winter?", "We drop small learning", "Alone, each one starves"),
    DemoQuestion("Who do the agents share grain with?", "They form households", "They share grain"),
    DemoQuestion("Why did Narcissus drown?", "Narcissus did not drown", "A reflection never"),
    DemoQuestion("Why do children become peers?", "Children become peers", "If we want machines"),
    DemoQuestion("Why should several people share one chatbot?", "I would put several people", "I would put several"),
    DemoQuestion("What did he say about cough syrup?", "I never chose the goal", "I care about my daughter"),
    DemoQuestion("Does he keep bees?", "I keep bees now", "I keep bees now"),
)
"""The last word of a passage may be any sentence after its first one."""

EIGHTY_COMMANDS = (
    ("Pause.", "pause"), ("Please pause.", "pause"), ("Hold on a second.", "pause"), ("Wait a moment.", "pause"),
    ("Pause the podcast.", "pause"), ("Resume.", "resume"), ("Continue.", "resume"), ("Carry on please.", "resume"),
    ("Keep playing.", "resume"), ("Go on.", "resume"), ("Stop.", "stop"), ("Stop the episode.", "stop"),
    ("Be quiet.", "stop"), ("That's enough.", "stop"), ("Play.", "play"), ("Start playing the episode.", "play"),
    ("Go back.", "back"), ("Go back thirty seconds.", "back"), ("Rewind two minutes.", "back"),
    ("Back ten seconds.", "back"), ("Skip back a minute and a half.", "back"), ("Go back a bit.", "back"),
    ("Rewind half a minute please.", "back"), ("Jump back five minutes.", "back"),
    ("Skip forward.", "forward"), ("Skip ahead thirty seconds.", "forward"), ("Fast forward two minutes.", "forward"),
    ("Forward twenty seconds.", "forward"), ("Skip the ads.", "forward"), ("Jump ahead five minutes.", "forward"),
    ("Skip this topic.", "next_topic"), ("Skip the intro.", "forward"),
    ("Go to minute forty two.", "go_to"), ("Go to the beginning.", "go_to"), ("Start over.", "go_to"),
    ("Go to ten minutes thirty seconds.", "go_to"), ("Skip to the end.", "go_to"), ("Bookmark.", "bookmark"),
    ("Next topic.", "next_topic"), ("Next chapter please.", "next_topic"), ("Skip to the next section.", "next_topic"),
    ("Previous topic.", "previous_topic"), ("Go back one chapter.", "previous_topic"),
    ("Next episode.", "next_episode"), ("Play the next episode.", "next_episode"),
    ("Previous episode.", "previous_episode"),
    ("Play the part about homeostasis.", "play_about"), ("Take me to the part about the broom.", "play_about"),
    ("Find the part about bees.", "play_about"), ("Jump to where he talks about Narcissus.", "play_about"),
    ("Go back to where I was.", "return_to"), ("Take me back to where we stopped.", "return_to"),
    ("Slower.", "slower"), ("Slow down please.", "slower"), ("Faster.", "faster"), ("Speed up a little.", "faster"),
    ("Play it at one and a half times.", "set_speed"), ("Double speed.", "set_speed"), ("Normal speed.", "set_speed"),
    ("Play at one and a half speed.", "set_speed"),
    ("Louder.", "louder"), ("Turn it up.", "louder"), ("Volume up.", "louder"), ("Quieter.", "quieter"),
    ("Turn the volume down.", "quieter"), ("Set the volume to fifty percent.", "set_volume"),
    ("Mute.", "mute"), ("Unmute.", "unmute"),
    ("Repeat that.", "repeat"), ("Say that again.", "repeat"), ("One more time please.", "repeat"),
    ("In his own words.", "own_words"), ("Let me hear it in their own words.", "own_words"),
    ("Bookmark this.", "bookmark"), ("Save this spot.", "bookmark"), ("What are my bookmarks?", "bookmarks"),
    ("The second one.", "choose"), ("What can I say?", "help"), ("Yes please.", "yes"), ("No thanks.", "no"),
)  # fmt: skip
"""A command as it is said, and the name of what it asks for."""

ASIDES = (
    "Turn on the lamp.", "Set a timer for ten minutes.", "Please.", "The boss is here.", "The paws are dirty.",
    "Dinner is ready.", "Come here.", "Good boy.", "Close the door please.", "I will be back in an hour.",
    "Did you feed the cat?", "We need more milk.", "That is a nice lamp.", "Where are my keys?", "Give me the salt.",
    "It is raining again.", "Put your shoes on.", "Not in the house.", "I saw her yesterday.", "Two coffees.",
    "You left the light on.", "The master of the house.", "A nice flower.", "Look at that.", "Watch out.",
    "Wait for me at the station.", "Start the car.", "Stop the car.", "The next train is late.",
    "Take the second street on the left.", "Bring it back tomorrow.", "Go to bed.", "Skip lunch.", "My back hurts.",
    "Mother is louder than father.", "Save some for me.", "Mark is here.", "Read the book.", "Turn around.",
    "Hand me the spoon.",
)  # fmt: skip
"""What people say to each other at home: nothing of a companion's."""
