/// What voices say in benchmarks.
enum SpokenSentences {
    /// Twelve words each: the first clause or sentence of an answer.
    static let twelveWords = [
        "The quick brown fox jumps over the lazy dog near the river.",
        "The capital of France is Paris, and it lies on the Seine.",
        "You can find the nearest station at the end of this street.",
        "It will be warm today, with a little rain in the evening.",
        "I have put your meeting with Anna on Monday in the calendar.",
        "Whales are the largest animals that have ever lived on this planet.",
        "Please tell me a little more about what you want to cook.",
        "The library opens early in the morning and closes late at night.",
        "Most cats sleep for more than half of the day, like yours.",
        "That is a good question, and the answer is longer than expected.",
    ]

    /// Everyday sentences for the round trip, half of them with numbers, dates, times or money.
    static let roundTrip = [
        "The train to Boston leaves at 7:30 in the morning.", "Your total is $24.50 with tax.",
        "The meeting is on March 3rd at 2 pm.", "Water boils at 212 degrees Fahrenheit.",
        "He was born on July 4, 1976.", "The room is 12 feet wide and 15 feet long.",
        "Please call me back before 5 o'clock.", "About 60% of the students passed the test.",
        "The population of the city is 8,400,000.", "Add 2 cups of flour and 1/2 cup of sugar.",
        "She ran the race in 45 minutes.", "The movie starts at 8:15 tonight.",
        "We have 3 dogs and 2 cats at home.", "The flight takes 6 hours and 20 minutes.",
        "In 2019 they moved to Chicago.", "The book has 350 pages.", "It costs $5 per month.",
        "The temperature will drop to 40 degrees.", "There are 24 hours in a day.", "My address is 221 Baker Street.",
        "The weather is going to be nice this weekend.", "Can you help me find my keys?",
        "I would like a cup of coffee, please.", "The children are playing in the garden.",
        "We went to the museum and saw old paintings.", "Thank you very much for your help.",
        "The doctor said that you should drink more water.", "Turn left at the next corner and walk to the bridge.",
        "My brother works at a bank in the city.", "The sun is shining, and the birds are singing.",
        "I forgot to bring my umbrella today.", "What kind of music do you like?",
        "They are building a new school near the park.", "The river is very wide at this point.",
        "She reads a story to her daughter every night.", "We should leave early to avoid the traffic.",
        "The soup is hot, so be careful.", "He told me a funny story about his dog.",
        "It is easy to learn if you practice every day.", "The store is closed, but it will open again tomorrow.",
    ]
}
