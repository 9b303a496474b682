/// What the person of a benchmark says: ten short and ten long questions of a voice assistant's day.
enum BenchmarkUtterances {
    static let short = [
        "What is the capital of France", "Tell me about the ocean", "How old is the universe",
        "Can you tell me a story",
        "What is the largest animal", "What color is the sky", "How many days are in a year", "Where do penguins live",
        "How do I make a cup of tea", "Why is the sea salty",
    ]

    static let long = [
        "Could you please explain to me why the leaves change their color every year in the fall",
        "I have a small garden behind my house and I want to grow some vegetables that do not need much water",
        "We are going to have a birthday party for my mother on Saturday and I need an idea for a nice present",
        "My friends and I are going to spend three days in London so tell me what we should see there",
        "I would like to read a good book about the history of the world so which one would you recommend",
        "My daughter is seven years old and she would like to have a dog so what should we think about first",
        "I have been trying to sleep better for several weeks now so please tell me what I should do",
        "Could you please tell me how long it takes to drive from New York to Chicago in the winter",
        "There are many stars in the sky at night and I have always wanted to know how far away they are",
        "I want to learn a new language this year so how many hours do I need to study every week",
    ]
}
