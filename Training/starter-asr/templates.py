"""Our own sentence templates for what people say to voice agents, by topic; expanded by grammar.py.

A line is one template. Small first letters are raised by the grammar; a full stop is added where none is written.
"""

RULES = """
day: today | tomorrow | {weekday} | this {weekday} | next {weekday} | on {weekday} | the day after tomorrow | tonight | this weekend | next week | on {date}
when: {day} | {day} at {clock} | at {clock} | around {clock} | {day} [morning|afternoon|evening] | {date} | in {duration} | before {clock} | after {clock} | as soon as possible | later [today|this week] | at the end of {month} | sometime next month
past: yesterday | last {weekday} | last [week|month|night|year|summer|winter] | on {date} | {duration} ago | the other day | this morning | in {year} | back in {month} | a while ago | just now
please: please | please | please | if you can | thanks | if that's okay | if possible | thank you
ask: can you | could you | would you | can you please | could you please | will you | would you mind if I asked you to | I'd like you to | I need you to | I want you to | please | go ahead and
want: I'd like to | I want to | I need to | I'd love to | I have to | we'd like to | we need to | can I | could I | may I | I was hoping to | I'm trying to | I'm looking to | let me | is it possible to | I think I should | I might
tell: tell me | show me | let me know | find out | explain | remind me | help me understand
maybe: maybe | probably | perhaps | I think | I guess | I suppose | possibly | I believe
name: {first} | {first} | {first} {last} | {title} {last}
fullname: {first} {last}
title: Mister | Missus | Doctor | Professor | Miss
relation: my [wife|husband|partner|brother|sister|mother|father|mom|dad|son|daughter|aunt|uncle|cousin|niece|nephew|boss|neighbor|neighbour|roommate|flatmate|friend|best friend|grandmother|grandfather|grandma|landlord|colleague|manager|teacher|doctor|lawyer|dentist|assistant|girlfriend|boyfriend]
who: {relation} | {relation} | {first} | {name} | the kids | everyone | the team
number2: two | three | four | five | six | seven | eight | ten | twelve | a dozen | a couple of | a few | several
color: red | blue | green | yellow | black | white | grey | purple | orange | pink | brown | turquoise | dark blue | light green | beige | silver
room: kitchen | living room | bedroom | bathroom | hallway | office | garage | basement | attic | dining room | guest room | nursery | laundry room | study | garden | patio | front porch | balcony | upstairs landing
device: lights | light | lamp | fan | heater | heating | air conditioner | T V | radio | speaker | ceiling light | thermostat | humidifier | dishwasher | oven | coffee maker | vacuum | sprinkler | alarm | blinds | curtains | dehumidifier | space heater
gadget: phone | laptop | printer | router | tablet | computer | monitor | keyboard | mouse | headset | webcam | hard drive | smart watch | camera | charger | screen | battery | microphone | speaker | television | remote | console
app: app | browser | email | calendar | website | account | password | software | operating system | driver | printer driver | web page | update | antivirus | backup | Wi-Fi | Bluetooth | video call | cloud storage
body: head | back | knee | shoulder | neck | stomach | throat | ankle | wrist | left arm | right foot | elbow | hip | chest | lower back | ear | tooth | eye
symptom: a headache | a fever | a sore throat | a cough | a rash | a cold | the flu | a runny nose | chest pain | back pain | a migraine | trouble sleeping | an upset stomach | high blood pressure | a toothache | dizzy spells | an allergic reaction | a swollen ankle | a cramp | hay fever
meal: breakfast | lunch | dinner | supper | brunch | a snack | dessert
dish: pasta | pizza | soup | salad | a sandwich | fried rice | roast chicken | grilled salmon | tacos | curry | pancakes | scrambled eggs | lasagna | vegetable stew | a burger | sushi | noodles | banana bread | apple pie | chocolate cake | mashed potatoes | an omelette | beef stew | fish and chips | dumplings | meatballs | risotto | chili | lentil soup | cheesecake | porridge | waffles | garlic bread | chicken soup | spring rolls | ramen
ingredient: flour | sugar | butter | milk | eggs | salt | pepper | olive oil | garlic | onions | tomatoes | cheese | rice | yeast | cinnamon | cream | lemon juice | basil | ginger | honey | baking powder | vanilla | potatoes | carrots | mushrooms | spinach | yogurt | vinegar | soy sauce | coconut milk | chicken stock | parsley | nutmeg | thyme | rosemary
measure: a cup of | a teaspoon of | a tablespoon of | a pinch of | half a cup of | two cups of | a pound of | two hundred grams of | a quarter cup of | three ounces of | half a litre of | a handful of | a kilo of
drink: coffee | tea | water | orange juice | a latte | a cappuccino | green tea | hot chocolate | sparkling water | a glass of wine | a beer | lemonade | iced tea | an espresso | a smoothie | apple juice | a milkshake | ginger ale
cuisine: Italian | Chinese | Indian | Thai | Mexican | Japanese | Greek | French | Turkish | Vietnamese | Korean | Spanish | Lebanese | Ethiopian | vegetarian | vegan | seafood
genre: jazz | rock | pop | classical | country | hip hop | blues | folk | electronic | reggae | soul | metal | disco | opera | ambient | piano | acoustic | dance
mood: happy | sad | relaxing | upbeat | quiet | romantic | energetic | mellow | old | new | loud | soft | cheerful | funky
filmkind: comedy | thriller | documentary | western | drama | cartoon | horror film | mystery | love story | science fiction movie | action movie | musical | war film | spy movie
sport: football | basketball | tennis | baseball | soccer | hockey | golf | cricket | rugby | volleyball | swimming | boxing | cycling | badminton | table tennis | skiing
place: airport | train station | bus stop | hotel | hospital | pharmacy | supermarket | library | museum | post office | bank | gas station | petrol station | restaurant | cafe | bakery | gym | park | beach | school | university | cinema | police station | shopping mall | bookstore | hardware store | car wash | dry cleaner | town hall | stadium | theater | zoo | swimming pool | parking garage | coffee shop | clinic | embassy | campground
vehicle: taxi | bus | train | flight | ferry | tram | subway | shuttle | rental car | cab | ride | bike | coach | scooter
service: haircut | dentist appointment | doctor's appointment | massage | car inspection | oil change | eye exam | piano lesson | driving lesson | meeting room | tennis court | table | cleaning | checkup | consultation | vaccination | physiotherapy session | yoga class | dog grooming | viewing | phone interview | follow up visit
account: checking account | savings account | current account | credit card | debit card | joint account | mortgage | loan | business account | pension
garment: jacket | coat | shirt | dress | sweater | jumper | scarf | hat | pair of jeans | pair of shoes | pair of socks | raincoat | T shirt | suit | tie | belt | skirt | hoodie | pair of boots | pair of gloves | swimsuit | pair of trainers
item: {garment} | {gadget} | backpack | suitcase | umbrella | book | blanket | pillow | desk lamp | office chair | bookshelf | sofa | mattress | kettle | toaster | blender | frying pan | knife set | bicycle | tent | water bottle | notebook | birthday card | gift card | vacuum cleaner | mirror | rug | candle | board game | puzzle | guitar | watch | ring | necklace | pair of sunglasses | toothbrush | lawn mower | drill | ladder
size: small | medium | large | extra large | size {smallnumber} | a bigger one | a smaller one | one size up
weather: rain | snow | be sunny | be cold | be warm | be windy | storm | freeze | be cloudy | clear up | get hotter | get colder | be foggy | hail | thunder | be humid | be icy
weathernoun: rain | snow | fog | wind | thunder | sunshine | frost | a storm | a heat wave | hail | drizzle | ice on the roads
feeling: happy | tired | great | sad | excited | nervous | worried | bored | fine | sick | hungry | confused | angry | grateful | lonely | surprised | stressed | a bit better | much better | proud | terrible | okay | curious | disappointed | relieved | sleepy | thirsty | a little down | optimistic
good: good | great | nice | lovely | wonderful | fantastic | amazing | interesting | terrible | awful | boring | strange | funny | weird | beautiful | difficult | easy | expensive | cheap | useful | important | perfect | ridiculous | impressive | confusing | annoying | delicious | exciting | reasonable | surprising | scary | brilliant
adverb: really | very | pretty | quite | so | absolutely | kind of | a bit | rather | extremely | a little | incredibly | totally
often: often | always | never | sometimes | usually | rarely | every day | once a week | twice a month | every {weekday} | from time to time | most weekends
hobby: reading | cooking | gardening | hiking | painting | dancing | playing chess | watching movies | playing the piano | running | fishing | knitting | traveling | singing | photography | baking | playing the guitar | swimming | woodworking | bird watching | camping | writing | learning languages | climbing | pottery
job: nurse | teacher | carpenter | software engineer | designer | plumber | electrician | chef | pilot | lawyer | farmer | journalist | accountant | mechanic | dentist | librarian | police officer | firefighter | scientist | translator | bus driver | hairdresser | actor | baker | waiter | social worker | architect | photographer | gardener
language: Spanish | French | German | Italian | Japanese | Mandarin | Portuguese | Arabic | Hindi | Korean | Dutch | Swedish | Turkish | Polish | Greek | Russian | Welsh | Finnish | Hebrew
topic: the election | the economy | climate change | space travel | artificial intelligence | the housing market | the Olympics | the stock market | electric cars | the new museum | the weather | the strike | public transport | health care | the school system | the game last night | the local council | renewable energy | the budget | tourism | ancient history | dinosaurs | volcanoes | black holes | the ocean | the Roman Empire | the human brain | whales | music theory | the French Revolution
um: um, | uh, | er, | well, | so, | hmm, | okay, so | you know, | I mean, | like, | let me think, | let's see, | actually, | oh, | right, | yeah, | hey,
street: {surname} [Street|Road|Avenue|Lane|Drive|Court|Place|Way|Boulevard|Close|Crescent|Square|Terrace] | [Main|High|Church|Mill|Park|Oak|Maple|Elm|Pine|Cedar|Lake|Hill|River|Spring|Station|Queen|King|Market|Bridge|North|South|West|Forest|Garden|Chestnut|Willow] [Street|Road|Avenue|Lane|Drive|Court|Place|Way|Boulevard|Close] | {ordinal} [Street|Avenue]
surname: {last}
address: {house} {street} | {house} {street} | {house} {street}, {city} | {house} {street}, apartment {smallnumber} | {house} {street}, flat {smallnumber}, {city} | {house} {street} in {city}, {state}
domain: example dot com | mail dot com | post dot net | web dot org | home dot net | company dot com | work dot co dot U K | school dot edu | studio dot io | shop dot com
email: {firstlow} dot {lastlow} at {domain} | {firstlow} at {domain} | {firstlow} underscore {lastlow} at {domain} | {lastlow} {digitpair} at {domain} | {letter} dot {lastlow} at {domain} | {firstlow} {lastlow} at {domain} | info at {lastlow} dot com | {firstlow} dash {lastlow} at {domain} | {firstlow} dot {lastlow} {digitpair} at {domain}
yes: yes | yeah | yep | sure | of course | okay | right | absolutely | definitely | certainly | yes, please | that's right | exactly | sounds good | all right | fine | correct | uh huh | mm hmm | sure thing
no: no | nope | no, thanks | not really | no, thank you | not yet | I don't think so | not at all | never mind | no way | not now | I'm afraid not | absolutely not | not exactly | probably not
thanks: thanks | thank you | thanks a lot | thank you so much | thanks very much | many thanks | cheers | great, thanks | perfect, thank you | I appreciate it | that's very kind
bye: bye | goodbye | see you | see you later | talk to you later | have a nice day | good night | take care | bye bye | until next time | have a good one | see you {day}
hello: hello | hi | hey | hi there | hello there | good morning | good afternoon | good evening | hey there | morning
reason: because {clause} | since {clause} | in case {clause} | so that {clause} | although {clause} | but {clause} | and {clause}
clause: {who} is coming over {day} | I have to be at the {place} by {clock} | it's going to {weather} | I'm feeling {feeling} | the {gadget} doesn't work | we are running late | {who} asked me to | I forgot about it {past} | I don't want to be late | there wasn't enough time | it was too expensive | the {place} was closed | I couldn't find my {item} | nobody told me about it | I left my {item} at the {place} | we ran out of {ingredient} | I promised {who} | the {vehicle} was delayed | I have a {service} {day} | I'm not sure what to do | it takes about {duration} | I lost the receipt | somebody has to do it | I've never tried it before | it only costs {money} | they moved it to {weekday} | we are in {city} until {weekday} | {who} is allergic to {food} | I already paid for it | I didn't get your message
statusword: on its way | delayed | ready | late | cancelled | finished | broken | still missing | open | closed | done | lost | fixed
unit: miles | kilometers | feet | meters | inches | centimeters | pounds | kilos | ounces | grams | gallons | litres | cups | yards | acres | square feet
country: France | Germany | Spain | Italy | Japan | China | India | Brazil | Canada | Mexico | Australia | Egypt | Kenya | Nigeria | Norway | Sweden | Poland | Greece | Turkey | Ireland | Scotland | Wales | England | Portugal | Peru | Chile | Argentina | Thailand | Vietnam | South Korea | New Zealand | South Africa | Switzerland | Austria | Belgium | Finland | Denmark | Iceland | Morocco | Indonesia | the Netherlands | the United States | Russia | Ukraine | Cuba | Jamaica | Ghana | Ethiopia | Pakistan | Nepal
bigcity: London | New York | Paris | Berlin | Tokyo | Chicago | Boston | Toronto | Sydney | Madrid | Rome | Vienna | Dublin | Edinburgh | Glasgow | Manchester | Seattle | Los Angeles | San Francisco | Houston | Miami | Denver | Atlanta | Dallas | Philadelphia | Montreal | Vancouver | Melbourne | Singapore | Hong Kong | Mumbai | Delhi | Bangkok | Cairo | Nairobi | Lagos | Amsterdam | Brussels | Lisbon | Barcelona | Munich | Hamburg | Zurich | Geneva | Prague | Budapest | Warsaw | Stockholm | Oslo | Copenhagen | Helsinki | Athens | Istanbul | Moscow | Detroit | Phoenix | San Diego | Portland | Austin | Nashville | New Orleans | Las Vegas | Orlando | Minneapolis | Bristol | Liverpool | Leeds | Birmingham | Cardiff | Belfast | Oxford | Cambridge | York
state: Texas | California | Ohio | Florida | Oregon | Virginia | Georgia | Maine | Vermont | Kansas | Nevada | Utah | Colorado | Arizona | Michigan | Minnesota | Wisconsin | Illinois | Indiana | Kentucky | Tennessee | Alabama | Louisiana | Missouri | Iowa | Nebraska | Montana | Idaho | Washington | New York | New Jersey | Pennsylvania | Massachusetts | Connecticut | Maryland | North Carolina | South Carolina | Oklahoma | Arkansas | New Mexico | Hawaii | Alaska | Ontario | Quebec | Alberta | Kent | Yorkshire | Cornwall | Devon | Essex | Surrey
where: {bigcity} | {city} | {country} | {state}
near: near me | nearby | in {city} | around here | close to the {place} | within {smallnumber} miles | downtown | on {street} | near {street} | in {bigcity}
"""

TEMPLATES = {
    "weather": """
what's the weather [|like|going to be like] [in {where}|] {day}?
what's the weather like in {where}?
will it {weather} {day}?
is it going to {weather} in {where} {day}?
do I need [an umbrella|a coat|a hat|sunscreen|a jacket|boots] {day}?
how [cold|hot|warm|windy|humid] is it [in {where}|outside|right now|there]?
what's the [temperature|forecast|humidity|wind speed|pollen count|U V index] [in {where}|for {where}|] {day}?
what's the forecast for {day}?
the forecast says it will {weather} {day}, so bring {a:garment}
it was {temperature} when I left the house this morning
they said there would be {weathernoun} {day}, but I don't see any
is there any chance of {weathernoun} in {where} {day}?
I hope it doesn't {weather} {day}, {clause}
when does the sun [set|rise] [in {where}|] {day}?
I can't believe how [cold|hot|windy|humid|wet|dry] it was {past}
it's {temperature} in {bigcity} right now
how much [snow|rain] did {where} get {past}?
compare the weather in {where} and {where}
{weathernoun} again?
lovely weather {day}
is it raining in {where}?
what should I wear {day} if it's going to {weather}?
""",
    "home": """
[turn|switch] [on|off] the {room} {device}
[turn|switch] the {device} [on|off]
{ask} [turn|switch] [on|off] the {device} in the {room}
{device} [on|off]
{device} [on|off], {please}
set the {device} to {temperature}
set the {room} to {temperature}
dim the {room} lights to {smallnumber} percent
make the {room} [warmer|cooler|brighter|darker]
make the {room} lights {color}
is the {room} [door|window] [locked|open|closed]?
did I leave the {device} on?
lock the [front|back|garage|side] door
unlock the [front|back|garage|side] door for {who}
start the {device} {when}
stop the {device}
{ask} set the thermostat in the {room} to {temperature} {when}
when I say good night, turn off the {device} in the {room} and lock the front door
if the temperature in the {room} drops below {temperature}, turn on the heater
turn everything off except the {device} in the {room}
why is the {device} in the {room} still on?
the {device} in the {room} [isn't responding|keeps turning off|makes a strange noise|won't turn on]
open the {room} [blinds|curtains|window] [halfway|a little|all the way|]
close the {room} [blinds|curtains|window]
who is at the [front|back] door?
show me the {room} camera
run the {device} every {weekday} at {clock}
not the {room}, the {room}
I meant the {room} {device}, not the {room} {device}
is anyone in the {room}?
too [bright|dark|loud|cold|warm] in the {room}
{color} lights, please
the {room} is {adverb} [cold|hot|dark|bright|stuffy|damp]
""",
    "time": """
what time is it [in {where}|now|there|]?
what's the [date|day] [today|tomorrow|on {weekday}]?
set [a timer|an alarm|a reminder] for {duration}
set [an alarm|a reminder] for {clock} {day}
wake me up at {clock} [|tomorrow|on {weekday}|every day]
wake me at {clock}
how [long|many days] until {date}?
how long does it take to get to the {place}?
remind me to {errand} {when}
remind me {when} to {errand}
remind {who} to {errand}
cancel my {clock} alarm
cancel the timer
add {duration} to the timer
how much time is left [on the timer|]?
at {clock}?
{clock}
{clock}, please
{day} at {clock}
{day}, not {day}
on {date}
{date}
maybe {weekday}?
in {duration}
what day of the week is {date}?
is it {clock} already?
my [birthday|anniversary|appointment|exam|flight|interview|wedding|graduation] is on {date}
the [meeting|class|show|game|appointment|call|party|train|lecture] starts at {clock}
{want} move my {clock} [meeting|call|appointment] to {clock}
put [lunch|dinner|a call|a meeting|coffee] with {name} on my calendar for {when}
what's on my calendar {day}?
am I free {when}?
do I have anything [planned|on my calendar|scheduled] {when}?
when is my next [meeting|appointment|class|call|lesson]?
what year was {who} born?
I was born on {date}
I was born in {year}
she was born in {year} and moved to {where} in {year}
that was in {year}
it happened in {year}, no, wait, in {year}
can we make it {clock} instead of {clock}?
I'll be there at {clock}, or {clock} at the latest
is that {clock} your time or my time?
schedule a [meeting|call|video call] with {name} and {name} for {when}
every {weekday} at {clock}, {um} starting {date}
let's say {clock}, no, make it {clock}
{weekday}, no, I mean {weekday}
not {weekday}, {weekday}
the deadline is {date}, which gives us about {duration}
it took {duration} to {errand}
I've been waiting for {duration}
we've known each other for {duration}
""",
    "booking": """
{want} book {a:service} [for {when}|{when}|]
{want} [cancel|move|change|reschedule|confirm] my {service} [on {date}|for {day}|]
do you have anything [free|available|open] {when}?
do you have {a:service} [free|available] {when}?
a table for {number2}, please
a table for {number2} {when}, please
{want} reserve a table for {number2} [people|] {when} under the name {last}
the reservation is under {last}
the name is {fullname}
can I bring {who} with me to the {service}?
can we come at {clock} instead?
how much does {a:service} cost?
how long does {a:service} take?
is there a [fee|charge|penalty] if I cancel my {service}?
I missed my {service} {past}, {clause}
hi, my name is {fullname}, and I'm calling about my {service} {day}
I'm calling to confirm {a:service} for {name} on {date} at {clock}
that doesn't work for me, do you have anything [earlier|later|after {clock}|before {clock}|on {weekday}]?
do you have a room for {number2} nights, starting {date}?
a [single|double|twin|family] room for {number2} nights, please
{want} stay until {date} instead of {date}
what time is check [in|out]?
is breakfast included in the {money}?
is there [parking|a pool|a gym|a restaurant|free Wi-Fi|an elevator] at the hotel?
{want} speak to [the manager|someone|a person|an agent|the front desk|{name}]
do you take walk ins on {weekday}?
could you send the confirmation to {email}?
{want} book two tickets for the [show|concert|match|play|tour|film] {when}
which seats are left for the [show|concert|match|play|tour|film] {day}?
""",
    "travel": """
{want} book a flight from {bigcity} to {bigcity} {when}
what's the [cheapest|fastest|best] way to get [to {where}|from {bigcity} to {bigcity}]?
when does the next {vehicle} to {where} leave?
when does my {vehicle} leave?
is the {vehicle} to {where} on time?
is my {vehicle} {statusword}?
a one way ticket to {bigcity}, please
a return ticket to {bigcity} for {day}, please
how far is it [to {where}|to the {place}|from {bigcity} to {bigcity}]?
how do I get to [the {place}|{address}]?
where is the nearest {place}?
nearest {place}?
find {a:place} {near}
find me {a:cuisine} restaurant {near}
call me a {vehicle} to {address}
call {a:vehicle}
take me to [{address}|the {place}|{street}|{bigcity}]
navigate to {address}
avoid [tolls|the highway|the motorway|the city center|ferries]
is there [much|any|a lot of] traffic on [{street}|the way to {where}|the way to work]?
I need a [hotel|room|hostel|campsite] in {where} for {number2} nights
I left my {item} on the {vehicle} to {where}
my flight number is {letters2} {digits}
flight {letters2} {digits}
gate {letter} {smallnumber}
platform {smallnumber}
which [gate|platform|terminal] does it leave from?
the {vehicle} to {where} leaves from platform {smallnumber} at {clock}
have you ever been to {where}?
I've never been to {where}, but {who} went there {past}
we drove from {bigcity} to {bigcity} in {duration}
what's {country} like in {month}?
do I need a visa for {country}?
what language do they speak in {country}?
what's the capital of {country}?
how many people live in {where}?
I grew up in {where}
I live in {where}
from {bigcity}
to {bigcity}, please
we're going to {where} {day} with {who}
we went to {where} {past} and stayed for {duration}
I'd rather go to {where} than to {where}
a window seat, please
an aisle seat, please
can I take {a:item} on the plane?
turn [left|right] at the {place} and then it's the {ordinal} street on the [left|right]
go straight for {smallnumber} [miles|blocks|meters|yards], then turn [left|right] on {street}
my luggage didn't arrive in {bigcity}, it's a {color} suitcase with the name {last} on it
it's {smallnumber} miles from the {place} to the {place}
""",
    "bank": """
what's [my balance|the balance on my {account}|the balance of my {account}]?
how much [money|] is in my {account}?
{want} [open|close|block|freeze|check] my {account}
transfer {money} [from my {account} to my {account}|to {name}|to my {account}]
send {money} to {name}
pay {name} {money}
pay {money}
did my [salary|paycheck|refund|payment|transfer] [arrive|come through]?
I see a charge of {money} from {past} that I don't recognize
how much did I spend on [groceries|rent|restaurants|travel|gas|clothes|subscriptions] {past}?
{money}
{money}, please
about {money}
{money} in total
that's {money}
that comes to {money}
it costs {money}
it was {money}, not {money}
my account number is {digits}
account number {digits}
the last four digits are {digits4}
the sort code is {digits6}
my customer number is {digits}, and the name is {fullname}
what's the interest rate on {a:account}?
the interest rate is {decimal} percent
the rent is {money} a month
my card [was stolen|is lost|was declined|doesn't work|has expired] {past}
I lost my [credit card|debit card|wallet|card] in {where} {past}
I paid {money} for {a:item} {past}, but I never got it
can I get a loan of {money} over {duration}?
what's the exchange rate [for the dollar|for the euro|between the pound and the euro|today]?
how much is {money} in [euros|dollars|pounds|yen]?
I think somebody used my {account} in {where} {past}
{want} raise my [limit|overdraft] to {money}
when is my next [payment|installment|bill] due?
set up a standing order of {money} to {name} every month
there should be {money} left in my {account}
I owe {who} {money}
{who} owes me {money} from {past}
""",
    "shop": """
do you have [this|the] {item} in {color}?
do you have [this|the {item}] in {size}?
how much is [the|this|that] {color} {item}?
how much is the {item}?
where can I buy {a:item} [{near}|]?
{want} [order|buy|return|exchange] {a:item}
{want} return the {item} I bought {past}, {clause}
where is my [order|package|parcel|delivery|refund]?
my order number is {code}
order number {code}
order number {digits}
it's {code}
the tracking number is {digits}
the order was placed on {date}, and it was supposed to arrive {day}
I ordered {a:color} {item}, but I got {a:color} one
I ordered {number2} of them
add {grocery} to my [shopping list|cart|basket|grocery list]
add {grocery}
add {grocery}, {grocery}, and {grocery} to the list
put {grocery} and {grocery} on the shopping list
we need {grocery} and {grocery}
we're out of {grocery}
take {grocery} off my [shopping|grocery] list
is the {item} [still available|on sale|in stock|under warranty]?
can I pay [by card|in cash|with my phone|in installments|when I pick it up]?
can I get a refund for the {item}?
the {item} arrived [broken|late|yesterday|in the wrong color|without the charger|damaged]
what size is the {color} {garment}?
do you ship to {where}?
when will the {item} be delivered?
deliver it to {address}
my address is {address}
the billing address is {address}, but please deliver it to {address}
I'm looking for {a:item} for {relation}, something [{good}|under {money}|in {color}]
what's the difference between the {size} and the {size}?
I'll take the {color} one
the {color} one, please
two of those, please
just the {item}, please
anything under {money}?
that's too expensive, do you have {a:item} for less than {money}?
my zip code is {digits5}
my postcode is {postcode}
what are your opening hours [on {weekday}|{day}|]?
are you open [on {weekday}|{day}|until {clock}]?
do I need the receipt to return {a:item}?
the discount code is {code}
""",
    "phone": """
call {name}
call {relation}
text {name}
text {who} that {clause}
text {relation} that I'll be there {when}
send a message to {name} saying {clause}
send an email to {name} and tell them {clause}
my email address is {email}
my email is {email}
the email address is {email}, all lower case
{email}
it's {email}
no, it's {email}
my [phone|mobile|cell|work|home] number is {phone}
my number is {phone}
{phone}
call me back at {phone}
you can reach me at {phone} {when}
the number is {phone}, extension {digits3}
extension {digits3}
can you read that back [to me|]?
did {name} call [back|] [{past}|]?
do I have any [new|unread|missed] [messages|calls|emails]?
read me my [last|latest|unread] [message|email|text]
reply that {clause}
leave a message for {name}
{want} leave a message for {name}, my number is {phone}
put me through to [{name}|sales|billing|support|reception]
who is calling, please?
this is {fullname}
this is {first}
{first} speaking
my name is {fullname}
my name is {first}
I'm {first}
{first} {last}
{first} {lastspelled}
it's {lastspelled}
it's spelled {spelledlast}
that's {spelledfirst}
my last name is {lastspelled}
my name is {first} {lastspelled}
my first name is {firstspelled}
{last} with {a:letter}
{letters}
{letter} as in {first}
{letter} as in {first}, {letter} as in {first}, {letter} as in {wordnoun}
no, {first} with {a:letter}, not {a:letter}
is that {spelledfirst}?
how do you spell {last}?
how do you spell {wordnoun}?
the license plate is {code}
the booking reference is {code}
the code is {digits4}
the pin is {digits4}
{digits4}
{digits3}
{digits}
{digits}, no, {digits}
the password is {wordnoun}, then {digits3}, then {wordnoun}
the confirmation number is {code}, I think
double check the number, it should be {digits}
""",
    "numbers": """
what's {number} [plus|minus|times|divided by] {number}?
{number} [plus|minus|times|divided by] {number}
what's {smallnumber} percent of {number}?
how many {unit} are [in|there in] {number} {unit}?
convert {number} {unit} to {unit}
{number}
{number} {unit}
{decimal}
{decimal} {unit}
about {number}
number {smallnumber}
page {smallnumber}
chapter {smallnumber}
room {house}
{ordinal} floor
the {ordinal} one
{ordinal} place
the {ordinal} of {number}
{smallnumber} or {smallnumber}?
there were {number} people at the [concert|game|wedding|meeting|festival|museum]
it weighs {number} [pounds|kilos|grams|ounces]
it's {number} feet long and {smallnumber} feet wide
she finished {ordinal} out of {number}
{smallnumber} percent
roughly {smallnumber} percent of [them|people|the work|the budget]
the answer is {number}
I said {number}, not {number}
{number}, right?
is {number} a prime number?
what's the square root of {number}?
roll a dice
flip a coin
pick a number between {smallnumber} and {number}
my bus is number {smallnumber}
one, two, three
count [from {smallnumber} to {smallnumber}|backwards from {smallnumber}]
""",
    "food": """
what can I make with {grocery} and {grocery}?
how do I make {dish}?
how do I make {dish} without {ingredient}?
how long should I cook {dish}?
at what temperature should I bake {dish}?
bake it at {temperature} for {duration}
give me a recipe for {dish}
find me a recipe for {dish} with {ingredient} and {ingredient}
how much {ingredient} do I need for {dish}?
how many calories are in {dish}?
add {measure} {ingredient}
add {measure} {ingredient} and stir
first mix {measure} {ingredient} with {measure} {ingredient}, then add the {ingredient} and bake it for {duration}
can I use {ingredient} instead of {ingredient}?
what's the next step?
what goes well with {dish}?
I had {dish} for {meal}
I'd like {drink}, please
{drink}, please
{dish}, please
can I get {drink} [and {dish}|with milk|without sugar|to go|]?
I'll have {dish} and {drink}
{dish} with extra {ingredient}
no {ingredient}, please
{dish} without {ingredient}, please
{number2} pizzas with {ingredient} and {ingredient}, please
is the {dish} [vegetarian|vegan|spicy|gluten free|any good]?
I'm allergic to {food}
I don't eat {food}
do you like {food}?
do you like {dish}?
I love {food}
I {often} eat {dish} for {meal}
what's for {meal}?
who's cooking {meal}?
let's order {dish}
let's have {cuisine} food {day}
which {cuisine} restaurants deliver to {address}?
the {dish} was {adverb} {good}
my {dish} is cold
the {dish} at the {cuisine} place on {street} is {adverb} {good}
my {kin} makes the best {dish} in {where}
the recipe says {measure} {ingredient}, but I only have {measure} {ingredient}
we had {dish} and {dish} at a {cuisine} restaurant in {bigcity} {past}
is it too late to change my order from {dish} to {dish}?
how long does {food} keep in the fridge?
we forgot the {ingredient}
more {ingredient}, please
can I freeze {dish}?
""",
    "health": """
I have {symptom}
I've had {symptom} for {duration}
I think I have {symptom}
what helps against {symptom}?
what should I do about {symptom}?
my {body} hurts
my {body} has been hurting since {weekday}
I fell off my bike and hurt my {body}
does it hurt when you move your {body}?
{want} make an appointment with Doctor {last}
is Doctor {last} in {day}?
{want} refill my prescription
I take {number2} tablets {often}
how many tablets should I take for {symptom}?
can I take this with {food}?
when did it start?
it started {past}, right after {meal}
on a scale from one to ten, it's about {smallscale}
my temperature is {smallfever}
my blood pressure was {house} over {twodigit}
the patient's date of birth is {date}
I'm allergic to [penicillin|nuts|pollen|latex|aspirin|shellfish|dust|wasps]
I didn't sleep well {past}
I slept {duration}
how many steps did I take {day}?
I walked {smallnumber} miles {past}
{who} broke a {bodypart} {past} while [skiing|hiking|playing {sport}|climbing a ladder|moving house]
{who} is in the hospital with {symptom}
remind me to take my [pills|medicine|vitamins|tablets|inhaler] at {clock}
is it normal to have {symptom} after a {service}?
how much [water|sleep|exercise|sugar] do I need every day?
get well soon
is it contagious?
I'm feeling {adverb} {feeling} today
""",
    "tech": """
my {gadget} [won't turn on|is broken|is too slow|keeps freezing|is making noise|won't charge|is overheating|won't connect|doesn't work anymore]
the {app} [isn't working|keeps crashing|won't open|is down|is very slow|asks for a password|disappeared]
how do I [reset|update|restart|install|delete|change|connect|set up] [my|the] {gadget}?
how do I [reset|update|install|delete|change|open|fix] the {app}?
have you tried turning it off and on again?
I already restarted the {gadget} {number2} times
I can't log in
I can't log in to my {app}, it says {errorsays}
I forgot my password {past}, and now the {app} says {errorsays}
it says {errorsays}
the error code is {code}
error {digits4}
the serial number is {code}
the model number is {code}
is the {gadget} plugged in?
the light on the {gadget} is [red|blinking|green|off]
my {gadget} has been [slow|broken|dead|acting up] since {past2}
which {gadget} should I buy for under {money}?
does the {gadget} work with my {gadget}?
{want} talk to technical support
my internet [is down|is slow|stopped working|keeps dropping] [again|{past}|since the update|]
I only have {smallnumber} percent battery left
[open|close|start|quit] the {app}
scroll [up|down]
go back
go to the [next|previous|last|first] page
click on the {ordinal} link
the ticket number is {code}, opened on {date} by {fullname}
what does [A P I|C P U|R A M|U R L|V P N|P D F|H T M L|S Q L|U S B|D N S] stand for?
send me the [P D F|link|U R L|report|file|invoice]
I spilled {drink2} on my {gadget}
I dropped my {gadget} {past} and now the screen is [cracked|black|flickering]
can you hear me?
you're breaking up
please repeat the last [step|part|sentence|number]
save the file as {wordnoun} {digitpair}
""",
    "music": """
play [some|] {genre}
play some {mood} music
play {mood} {genre} [music|] in the {room}
play {first} {last}
play something by {fullname}
play the [next|last|previous|first] [song|track|episode|album]
skip this [song|one|track|ad]
[pause|stop|resume] the music
turn [it|the volume|the music] [up|down] [a bit|a little|a lot|]
volume {smallscale}
set the volume to {smallnumber} percent
who sings this [song|]?
what's this song called?
who wrote this?
I {adverb2} like this song
what [album|year] is this from?
add this to my {mood} playlist
shuffle my {genre} playlist
play the news
play a podcast about {topic}
do you like {genre}?
I used to play the [piano|violin|drums|flute|cello|trumpet|guitar|saxophone] when I lived in {where}
we saw {fullname} live in {bigcity} in {year}
play the radio in the {room}, but not too loud, {clause}
I can't stand {genre} music
is {fullname} going on tour {day}?
recommend {a:filmkind}
recommend {a:filmkind} from the [seventies|eighties|nineties|sixties]
I watched {a:filmkind} about {topic} {past}, and it was {adverb} {good}
who directed that {filmkind}?
the {filmkind} with {fullname} was {adverb} {good}
""",
    "news": """
what's in the news [today|this morning|about {topic}|]?
what's the latest on {topic}?
any news about {topic}?
tell me [more|something|a fact] about {topic}
who won the {sport} [game|match] {past}?
who won?
what was the score?
the score was {smallnumber} to {smallnumber}
they lost {smallnumber} to {smallnumber} {past}
when is the next {sport} match?
did you hear about {topic}?
what do you think about {topic}?
I read an article about {topic} {past}, and it was {adverb} {good}
everybody is talking about {topic} these days
how does {topic} affect [me|people in {where}|prices|the environment|small businesses]?
explain {topic} to me in simple words
do you think {topic} will matter in {smallnumber} years?
the president [visited|left|spoke in] {where} {past}
the price of {commodity} went [up|down] {smallnumber} percent {past}
how much is {commodity} these days?
I don't follow {sport}, but {who} does
do you prefer {sport} or {sport}?
my team lost again
are you a {sport} fan?
""",
    "chat": """
how are you [today|doing|feeling|]?
I'm {feeling}
I'm {adverb} {feeling}, {thanks}
I'm {feeling}, how about you?
I feel {feeling}
that's {adverb} {good}
that sounds {good}
that was {adverb} {good}
what {a:good} idea
it's {adverb} {good}
how {good}
you're {adverb} {good}
are you {feeling}?
was it {good}?
why are you so {feeling}?
what do you do for fun?
what's your favorite [color|food|movie|book|season|song|city|animal|number|word]?
my favorite color is {color}
my hobby is {hobby}
I like {hobby}
do you like {hobby}?
I {often} go {sporting} with {who}
I've been into {hobby} since {year}
I work as {a:job}
I'm {a:job} [from {where}|]
my {kin} is {a:job} in {where}
I used to be {a:job}, but now I {newlife}
are you a robot?
are you a real person?
what's your name?
who made you?
how old are you?
I'm {age} years old
my {kin} is {age}
{who} turned {age} {past}
do you speak {language}?
how do you say {wordnoun} in {language}?
I'm learning {language}, {clause}
I don't speak {language} very well, but I understand it
tell me a joke
tell me another joke about {wordnounplural}
that's not funny
sing me a song
what should I do {day}?
what did you do {past}?
what are you doing {day}?
do you have any plans for {day}?
nothing special, just {hobby} and {hobby}
I'm bored
I miss {who}
say hello to {who}
guess what
never mind
you know what, forget it
I was just thinking about {who}
long time no see, {first}
nice to meet you, {first}
good to see you, {name}
{hello}, {first}
{hello}
{hello}, is {name} there?
{hello}, this is {first}
{bye}, {first}
{bye}
{thanks}
{thanks}, {first}
{thanks}, that's all
{yes}
{no}
{yes}, {first}
{no}, {first}
{yes}, {yes}
{yes}, {day}
{yes}, {clock}
{no}, {day}
{yes}, that's {adverb} {good}
{no}, that's not [it|right|what I meant|what I said|my name]
{no}, I said {wordnoun}
sorry, {wordnoun}?
did you say {wordnoun} or {wordnoun}?
I meant {wordnoun}, not {wordnoun}
I said {day}, not {day}
what do you mean by {wordnoun}?
what's {a:wordnoun}?
what does {wordnoun} mean?
I'm sorry, I didn't catch that
what did you say?
could you say that again, {please}?
hold on a [second|minute|moment]
wait, {um} what was that?
hang on, {clause}
give me {duration}
I'll be back in {duration}
let me think about it
let me check with {who}
it depends
I have no idea
I'm not sure
I changed my mind
you're welcome, {first}
congratulations, {first}
happy birthday, {first}
merry Christmas, {name}
excuse me, {name}
sorry, {name}
please, {first}
come on, {first}
relax, {first}
really, {first}?
are you there, {first}?
ask {first}
where's {first}?
who is {fullname}?
is {first} coming?
{first} is here
{first} isn't answering
maybe {first} knows
{first} or {first}?
{first} and {first}
{um} {yes}
{um} {no}
{um} {wordnoun}
{um} {clock}
{um} {day}
{um} {first}
{um} {number}
{maybe} {clause}
{maybe} {day}
{maybe} it's {good}
I think {clause}
I don't think {clause}
I know that {clause}
of course {clause}
did you know that {clause}?
is it true that {clause}?
what if {clause}?
the thing is, {clause}
{clause}, {reason}
{clause}, you know
{clause}, so {clause}
honestly, {clause}
""",
    "story": """
{past}, {who} and I went to the {place} in {where}, {clause}
so {who} calls me {past} and says that {clause}
when I was {age}, we lived in {where}, and {who} worked as {a:job}
I was on my way to the {place} when {who} called and said {clause}
we wanted to {errand}, but then {clause}, so we went to the {place} instead
it all started {past}, when {who} lost {a:item} at the {place}
I met {first} in {where} in {year}, we were both working as {a:job}
{first} said {clause}, but {first} said {clause}
a long time ago, there was {a:job} who lived near the {place} with {a:animal} and {a:animal}
you won't believe what happened {past}, {um} {clause}
I remember that {clause}, and {um} then {who} just laughed
my {kin} always says that {good} things take time
{who} bought {a:color} {item} for {money} {past}, and now it's broken
I saw {a:animal} in the [garden|park|street|forest|yard] {past}
{who} wants {a:animal}
our {animal} ran away {past}
we used to have {a:animal} called {first}
the first thing I do in the morning is {hobby}, and then I have {dish} for breakfast
I wish I could {errand} {day}, but {clause}
if {clause}, we should {errand} {when}
on the one hand, {clause}, on the other hand, {clause}
in my opinion, {hobby} is {adverb} {good}, but {who} thinks it's {good}
I used to think that {hobby} was {good}, but now I think it's {adverb} {good}
{um} I don't know, I, {um} I just think it's {adverb} {good}
what I'm trying to say is that {clause}
to be honest, I'd rather {errand} than {errand}
the best thing about {where} is the {place} by the river
{who} has been {adverb} {feeling} since {past2}
""",
}

RULES += """
errand: call {name} | buy {grocery} | pick up {who} | pick up the {item} | water the plants | pay the rent | take out the trash | walk the dog | feed the cat | return the {item} | clean the {room} | fix the {device} | send {who} an email | go to the {place} | do the laundry | wash the car | finish the report | charge my {gadget} | cancel the {service} | book {a:service} | renew my passport | make {dish} | practice {hobby2} | check the {gadget} | back up my {gadget} | order {dish} | learn {language} | visit {who} in {where} | paint the {room} {color} | sell my {item} | move to {where} | read the {wordnoun} book | sign the papers | meet {name} for {meal} | drop off the {item} at the {place} | look for {a:item}
hobby2: the piano | the guitar | the violin | my {language} | the drums | my speech | parking
grocery: {ingredient} | {food} | bread | {ingredient} | apples | bananas | cereal | coffee | toilet paper | paper towels | dish soap | batteries | orange juice | cat food | diapers | tea bags | chicken | frozen peas | ice cream | lettuce | strawberries | light bulbs | shampoo | toothpaste | trash bags
errorsays: invalid password | connection failed | access denied | file not found | try again later | the account is locked | no network | out of memory | update required | device not found | unknown error | the disk is full | session expired | server not responding
past2: {weekday} | yesterday | last week | {month} | this morning | last night | the last update | Christmas
bodypart: leg | arm | finger | toe | rib | collarbone | wrist | tooth | nose | bone
drink2: coffee | tea | water | orange juice | wine | milk | soup
adverb2: really | don't really | kind of | absolutely | still | don't
commodity: gold | oil | gas | milk | bread | electricity | copper | coffee | wheat | housing | water | silver | silk | paper
sporting: swimming | hiking | running | fishing | skiing | dancing | shopping | climbing | sailing | camping | cycling | bowling
newlife: run a small farm near {where} | teach {language} | work at the {place} | stay at home with the kids | drive a taxi in {bigcity} | write books about {topic} | study {topic}
kin: wife | husband | brother | sister | mother | father | son | daughter | aunt | uncle | cousin | grandmother | grandfather | niece | nephew | neighbor | best friend
"""

RULES += """
thing: {artifact} | {artifact} | {item} | {gadget}
feel: {adjword} | {feeling} | {good}
opinion: I {adverb2} like {hobby} | {hobby} is {adverb} {good} | people should {verbword} more | the {wordnoun} matters more than the {wordnoun} | nobody needs {a:artifact} anymore | {wordnounplural} are {adverb} {feel} | it's hard to {verbword} | you can't just {verbword} | we should talk about {topic} | {animal} {wordnounplural} are {feel}
pet: dog | cat | rabbit | hamster | parrot | goldfish | puppy | kitten | horse | turtle | guinea pig | canary
petname: Bella | Max | Luna | Charlie | Coco | Rocky | Daisy | Milo | Ginger | Buddy | Molly | Oscar | Pepper | Shadow | {first}
subject: math | maths | history | biology | chemistry | physics | geography | {language} | economics | art | music | law | computer science | philosophy | literature | psychology
carpart: brakes | engine | clutch | battery | windshield | windscreen | left front tire | headlights | gearbox | radiator | exhaust | trunk | horn | mirror | air filter | seat belt
utility: electricity | water | gas | internet | phone | heating | insurance | trash collection
housething: roof | sink | dishwasher | toilet | boiler | front door | washing machine | shower | kitchen tap | ceiling | fridge | dryer | window | doorbell | elevator | smoke alarm
agent: the front desk | customer service | the sales team | the billing department | technical support | a human | a real person | the manager | the owner | the pharmacy | the kitchen | your supervisor | human resources
idea: take the {vehicle} | wait until {day} | ask {who} | start over | try {dish} | buy {a:item} | call {agent} | go to the {place} | leave at {clock} | talk about {topic} | stay at home | split the bill | meet at the {place} | do it {when}
"""

TEMPLATES |= {
    "everyday": """
yes
no
stop
okay
hello
help
what?
why?
who?
when?
where?
how?
how come?
really?
sorry?
pardon?
pardon me
go on
go ahead
keep going
continue
next
repeat that
say that again
one more time
again, please
slower, please
louder, please
not so loud
quiet, please
be quiet
wait
wait a minute
hold on
just a second
one moment, please
take your time
no rush
hurry up
let's go
come in
come here
sit down
stand up
look at this
listen
listen to me
help me, please
I need help
cancel
cancel that
undo that
start over
start again
forget it
leave it
that's it
that's all
that's enough
that's right
that's wrong
that's not true
that's fine
that's okay
that works
that works for me
that makes sense
it doesn't matter
it's fine
it's okay
it's up to you
I don't care
I don't mind
I don't know
I don't understand
I don't remember
I don't believe it
I don't want to
I don't have one
I can't hear you
I can't see it
I can't do that
I couldn't agree more
I agree
I disagree
I know
I see
I understand
I hope so
I hope not
I think so
I guess so
I doubt it
I'm here
I'm back
I'm ready
I'm done
I'm lost
I'm late
I'm in a hurry
I'm on my way
I'm almost there
I'm just looking
I'm kidding
I'm serious
I was joking
I'm still here
are you sure?
are you there?
are you serious?
are you kidding?
are you okay?
are you listening?
are you ready?
can I help you?
can you help me?
can you hear me now?
could you speak up?
could you slow down?
did you get that?
did you hear me?
do you understand?
do you know why?
does that make sense?
is that correct?
is that all?
is that so?
is that you?
is it far?
is it free?
is it open?
is it working?
isn't it?
anything else?
nothing else, thanks
something like that
kind of
sort of
more or less
not bad
not really
not exactly
not anymore
not today
not me
me too
me neither
same here
you too
same to you
bless you
cheer up
calm down
don't worry
don't worry about it
don't forget
don't do that
no problem
no problem at all
no worries
no idea
no more
no way
no wonder
of course not
why not?
why is that?
so what?
what else?
what now?
what for?
what happened?
what's new?
what's up?
what's wrong?
what's that?
what's this?
what's going on?
what's the matter?
what's the point?
what are you doing?
what can you do?
what do you mean?
what do you think?
what do you want?
what did I miss?
what does that mean?
what should I do?
what would you do?
who's there?
who are you?
who said that?
whose is it?
which one?
which way?
where are you?
where am I?
where to?
where were we?
when was that?
when is it?
how much?
how many?
how far?
how long?
how often?
how old is it?
how's it going?
how was your day?
how do you know?
how does it work?
how does that sound?
how about you?
how about tomorrow?
good question
good point
good idea
good luck
good job
good for you
well done
nice try
nice one
fair enough
sounds like a plan
sounds about right
sounds perfect
it's a deal
it's my turn
it's your turn
it's too late
it's about time
it's been a while
it's not working
it works now
it's getting late
it's none of your business
oh no
oh dear
oh well
oh, I see
oh, really?
oh, come on
oh, never mind
uh, yes
uh, no
um, okay
hmm, maybe
well, maybe
well, I guess
well, yes and no
yes, I do
yes, I am
yes, it is
yes, that one
yes, exactly
yes, go ahead
yes, I'm sure
yeah, I know
yeah, right
no, I don't
no, I'm not
no, it isn't
no, not that one
no, the other one
no, go back
no, wait
no, stop
no, that's all
all of them
both of them
none of them
either one
neither
the first one
the second one
the last one
this one
that one
over there
right here
right away
right now
not right now
just now
sooner or later
as usual
every time
once more
one more, please
let me see
let me try
let me explain
let me finish
let me know
let's see
let's do it
let's try again
let's talk about it
let's wait
we'll see
we're closed
we're almost done
you're right
you're wrong
you're kidding
you're late
you first
you know
you're the best
thank you for your help
thanks for calling
thanks for waiting
thanks for nothing
thank you for your patience
see you soon
see you tomorrow
good night
sleep well
have fun
enjoy your meal
take it easy
excuse me
excuse me, please
I'm sorry
I'm so sorry
sorry about that
sorry, wrong number
my mistake
my pleasure
long story
who knows?
time's up
turn left
turn right
turn around
turn it off
turn it on
turn it up
turn it down
shut it down
volume up
volume down
lights on
lights off
good morning
good evening
happy new year
welcome back
welcome home
""",
    "office": """
{want} talk to {agent}
{want} talk to {agent} about my {utility} bill
can you put me through to {agent}?
are you {agent}?
I've been on hold for {duration}, {um} can I just talk to {agent}?
my {utility} bill is {money} this month, it's usually {money}
why is my {utility} bill so high?
{want} cancel my {utility} contract by the end of {month}
I'm moving to {address} on {date}, so I need to change my {utility} contract
the {utility} has been out in {city} since {clock}
the meter reading is {digits5}
my contract number is {code}
my policy number is {code}
I'd like to report {a:wordnoun} problem at {address}
is there somebody who speaks {language}?
the meeting with {name} is about the {wordnoun}
please send the {wordnoun} report to {name} by {weekday}
who is responsible for the {wordnoun} project?
we agreed on {money} for the {wordnoun}, not {money}
I'd like to apply for the job as {a:job}
I have {smallnumber} years of experience as {a:job}
I studied {subject} in {bigcity} and graduated in {year}
my manager wants the numbers by {clock}
let's {idea}
let's {idea}, {please}
why don't we {idea}?
what if we {idea}?
we could {idea} or {idea}
I suggest that we {idea}
should I {idea} or {idea}?
should we {idea}?
maybe you should {idea}
I'd rather {idea}
{first} wants to {idea}, but {first} would rather {idea}
can we {idea} instead?
do we have to {idea}?
I forgot to {errand}
I forgot to {errand} {past}
don't forget to {errand}
don't forget to {errand} {when}
I can't {errand} {when}, {clause}
I still have to {errand} and {errand}
did you {errand}?
did you already {errand}?
who is going to {errand}?
{ask} {errand}
{ask} {errand} {when}
{want} {errand}
{want} {errand} {when}, {clause}
it's time to {errand}
take a note, {clause}
take a note, {errand} {when}
add {errand} to my list
what's on my to do list {day}?
delete the note about the {wordnoun}
""",
    "household": """
the {housething} is [broken|leaking|stuck|too old|dirty|making a noise]
there is water coming from the {housething} in the {room}
can somebody come and fix the {housething} {when}?
when did you last clean the {housething}?
how much would it cost to replace the {housething}?
the {housething} stopped working {past}, and the landlord says it will take {duration}
my car is a {color} {carbrand} from {year}
the {carpart} [is|are] making a strange noise
{want} have the {carpart} checked {when}
my car broke down on {street} near {place2}
how much are new {carpart}?
it has {number} miles on it
the license plate of the {color} {carbrand} is {code}
how often should I feed my {pet}?
my {pet} is called {petname}
{petname} won't eat
{petname}, come here
our {pet} {petname} has been sick since {past2}
is {pet} food on sale {day}?
my {pet} ate {grocery} {past}, what should I do?
we're looking for a {pet} sitter from {date} to {date}
I lost my {color} {pet} near {street}, it answers to {petname}
the apartment has {number2} bedrooms and costs {money} a month
is the flat on {street} still available?
we moved to {address} in {year}
I'd like to see the house at {address} {when}
what's the rent for the apartment on {street}?
my neighbor in apartment {smallnumber} plays {genre} all night
where do you keep the {artifact}?
where's my {artifact}?
I can't find my {thing}
have you seen my {thing}?
whose {thing} is this?
I found {a:thing} at the {place}
can I borrow your {thing}?
be careful with the {thing}
put the {thing} in the {room}
put the {thing} next to the {thing}
the {thing} is behind the {thing} in the {room}
the {color} {thing} is mine
is this {thing} yours?
don't touch the {thing}
there's {a:animal} in the {room}
""",
    "school": """
help me with my {subject} homework
I have {a:subject} exam {day}
I failed my {subject} [test|exam|class] {past}
who teaches {subject} {day}?
my favorite subject is {subject}
explain {wordnoun} to me like I'm {age} years old
what's the opposite of {adjword}?
what's another word for {adjword}?
what's another word for {wordnoun}?
what's the plural of {wordnoun}?
use {adjword} in a sentence
use {wordnoun} in a sentence
give me a synonym for {verbword}
translate {wordnoun} into {language}
what's the difference between {a:wordnoun} and {a:wordnoun}?
who invented the {artifact}?
when was the {artifact} invented?
how does {a:artifact} work?
what is {a:artifact} made of?
how big is {a:animal}?
how long does {a:animal} sleep?
where do {wordnounplural} come from?
why are {wordnounplural} so {adjword}?
why do people {verbword}?
how do you {verbword}?
can you teach me how to {verbword}?
can {a:animal} {verbword}?
is {a:animal} {adjword}?
name three {wordnounplural}
tell me a story about {a:animal} and {a:person}
tell me a story about {a:adjword} {person}
write a poem about {wordnounplural}
let's play a game, {um} I'm thinking of {a:animal}
what rhymes with {wordnoun}?
is it {adjword} or {adjword}?
in {year}, {country} had about {number} {wordnounplural}
what happened in {country} in {year}?
how old is {country}?
which is bigger, {country} or {country}?
the river is {number} {unit} long
light takes about {duration} to get there
multiply {smallnumber} by {smallnumber} and add {smallnumber}
half of {number} is {number}
""",
    "opinions": """
I think {opinion}
I don't think {opinion}
I really think {opinion}, but {opinion}
don't you think {opinion}?
do you agree that {opinion}?
my {kin} says {opinion}
some people say {opinion}, others say {opinion}
if you ask me, {opinion}
it seems to me that {opinion}
to be fair, {opinion}
it's not that {opinion}, it's just that {clause}
why do you think {opinion}?
are you saying that {opinion}?
I never said that {opinion}
so you believe that {opinion}?
I'm pretty sure {opinion}
maybe {opinion}, I don't know
the {wordnoun} was {adverb} {adjword}
the {person} was {adverb} {adjword}
what {a:adjword} {wordnoun}
what {a:adjword} {person}
that's {a:adjword} {wordnoun}
it's a very {adjword} {wordnoun}
this {wordnoun} is {adjword}
these {wordnounplural} are {adjword}
so {adjword}
how {adjword}
{adverb} {adjword}
too {adjword}
not {adjword} enough
is it {adjword}?
are they {adjword}?
{adjword} {wordnounplural}
{a:adjword} {thing}
more {wordnounplural}, please
no more {wordnounplural}
{wordnoun} and {wordnoun}
{wordnoun} or {wordnoun}?
the {wordnoun}, please
the {adjword} one
which {wordnoun}?
whose {wordnoun}?
what {wordnoun}?
my {wordnoun}
your {wordnoun}, please
another {wordnoun}?
I need {wordnounplural}
just {wordnounplural}
only {number2} {wordnounplural}
{number2} {wordnounplural}
{smallnumber} {wordnounplural}
not the {wordnoun}
forget the {wordnoun}
about the {wordnoun}
with {wordnounplural}
stop {hobby}
like {a:animal}
compared to the {wordnoun}, the {wordnoun} is {adverb} {adjword}
the more I think about the {wordnoun}, the more {adjword} it seems
I spent {duration} looking for {a:thing}, and then {who} found it in the {room}
I've always wanted to {verbword}, but {clause}
whenever I see {a:animal}, I think of {who}
there is nothing more {adjword} than {a:adjword} {wordnoun}
the problem with {wordnounplural} is that they are {adverb} {adjword}
we talked about {wordnounplural}, {wordnounplural}, and {topic} for {duration}
{first} told me that {opinion}, and {um} that {clause}
it was {a:adjword} {wordnoun}, {um} a really {adjword} {wordnoun}
""",
    "corrections": """
no, I mean {day}
no, I meant {clock}
no, not {first}, {first}
no, {first}, not {first}
not {bigcity}, {bigcity}
to {bigcity}, no, to {bigcity}
on {date}, no, sorry, on {date}
I said {money}, not {money}
I said {smallnumber}, not {smallnumber}
that's {smallnumber} with {a:letter}
sorry, I meant {wordnounplural}
sorry, I mean the {color} one
make that {number2}
make that {number2}, please
change that to {day}
change it to {clock}
change the {day} appointment to {when}
actually, {idea}
actually, make it {day}
wait, did you say {clock} or {clock}?
did you mean {bigcity} or {bigcity}?
was that {smallnumber} or {smallnumber}?
{um} the, the {color} {thing}
I want, I want the {thing}
can you, {um} can you {errand} {when}?
I need to, {um} I need to {errand}
what I, what I meant was {day}
it's not {last}, it's {lastspelled}
sorry, that was {digits4}, not {digits4}
the street is {street}, not {street}
scratch that, {idea}
let me rephrase that, {um} {clause}
{fullname}, that's my {kin}
let's meet at {clock}, {um} no, {clock} is better
set a timer for {duration}, no, for {duration}
turn off the {room} {device}, I mean the {device} in the {room}
send it to {first}, no, wait, to {name}
play {genre}, no, something more {mood}
order {dish}, actually, no, order {dish} and {drink}
I'd like {drink}, {um} no, {drink}, please
my number is {phone}, sorry, let me say that again, {phone}
""",
}

RULES += """
carbrand: sedan | pickup truck | hatchback | van | convertible | minivan | station wagon | sports car | electric car | hybrid | motorcycle
place2: the {place} | {street} | {bigcity} | exit {smallnumber}
"""

RULES += """
initials: T V | U K | U S A | U S | E U | U N | B B C | D V D | C D | P C | D N A | F B I | C E O | N B A | G P S | A T M | V I P | I D | A I | P R | H R | F A Q | U S B | P D F | L E D | D J | D I Y | Q R | M R I | C I A | S U V | R S V P | L A | N Y C
future: I'll | you'll | he'll | she'll | we'll | they'll | {first} will | I won't | she won't | they won't | we might | you might | that'll make me | it'll help us
going: I'm going to | you're going to | he's going to | she's going to | we're going to | they're going to | {first} is going to | I'm not going to | nobody's going to | I'm about to | aren't you going to
would: I'd | you'd | he'd | she'd | we'd | they'd | I wouldn't | she wouldn't | he couldn't | they could | I should | we shouldn't | you could | nobody would
perfect: I've | you've | we've | they've | she's | he's | I haven't | we haven't | nobody has | hasn't {first} | I had | they hadn't
duty: I must | you must | I have to | he has to | she needs to | we ought to | they don't have to | I don't need to | you've got to | somebody has to | I'd better | we can't
did: I didn't | you didn't | he didn't | she never used to | they couldn't | we used to | I tried to | {first} refused to | she managed to | he promised to | they decided to | I forgot to
done: tried {dish} | been to {where} | seen the {animal} | lost the {thing} | bought {a:artifact} | met {name} | lived in {where} for {duration} | heard about {topic} | worked as {a:job} | spoken to {agent} | broken the {thing} | eaten the {food} | forgotten the {wordnoun} | paid {money} | left the {thing} in the {room} | taken the {vehicle} to {where} | written to {name} | chosen the {color} one | found the {thing} | given the {thing} to {who} | known {first} since {year} | gone to the {place} | sold the {artifact} for {money} | grown {ingredient} in the garden
purpose: to learn {language} | to save money | to get to {where} | to see {who} | to {verbword} | for {who} | for the {place} | because of the {wordnoun} | instead of the {thing} | without the {wordnoun}
"""

TEMPLATES |= {
    "tenses": """
{future} {errand}
{future} {errand} {when}
{future} {errand} if {clause}
{going} {errand} {when}
{going} {verbword}
{going} {idea}
{would} {errand} if {clause}
{would} {verbword}
{would} {idea}
{perfect} {done}
{perfect} never {done}
{perfect} already {done}
{perfect} {done} {purpose}
have you ever {done}?
haven't you {done}?
has {first} {done}?
{duty} {errand}
{duty} {errand} before {clause}
{duty} {verbword}
{did} {errand}
{did} {errand} {past}
{did} {verbword}
did you {errand} {past}?
didn't you {errand} {past}?
wouldn't it be {good} to {errand}?
shouldn't we {errand} {when}?
weren't you going to {errand}?
isn't {first} {feeling}?
aren't they {adjword}?
wasn't that {adverb} {good}?
who's going to {errand}?
who'd {errand} {when}?
there's {a:thing} in the {room}
there isn't {a:thing} in the {room}
there are {number2} {wordnounplural} in the {room}
there weren't any {wordnounplural}
there used to be {a:artifact} next to the {place}
that's why {clause}
that's what {first} said
that's how I {verbword}
it's {first} who {did} {errand}
here's the {thing}
here's your {thing}, {first}
these are my {wordnounplural}
those aren't my {wordnounplural}
what's in the {artifact}?
whoever {verbword}, I don't care
neither {first} nor {first} wants to {errand}
either {idea} or {idea}
both the {thing} and the {thing} are {adjword}
the {thing} that I bought {past} is {adverb} {adjword}
the {person} who lives next to the {place} is {adverb} {adjword}
the {person} I met {past} has {a:pet} called {petname}
as soon as {clause}, {future} {errand}
until {clause}, {duty} {errand}
while {clause}, {first} went to the {place} {purpose}
even though {clause}, {did} {errand}
not only {first}, but also {first} will {errand}
after I {verbword}, I usually {verbword}
we went to {where} {purpose}
I only did it {purpose}
she came {purpose}
it's {adverb} {adjword} to {verbword}
it was {adverb} {adjword} of {who}
I'm {adverb} {adjword} about the {wordnoun}
""",
    "initials": """
{initials}
the {initials}
what does {initials} stand for?
I saw it on the {initials}
is it {initials} or {initials}?
my {initials} isn't working
do you need my {initials}?
the {initials} said that {clause}
I read about the {initials} {past}
where's the next {initials}?
I lost my {initials} in {where} {past}
turn on the T V in the {room}
what's on T V {day}?
is the T V on?
the ending is {letter} {letter} {letter}
spell it with {a:letter} and {a:letter}
{letter}, {letter}, {letter}
{letter} {letter} {smallnumber}
my initials are {letters2}
seat {smallnumber} {letter}
row {smallnumber}, seat {letter}
vitamin {letter} is {good} for your {body}
""",
    "calls": """
{hello}, my name is {fullname} and I'd like to {errand} {when}
{hello}, this is {fullname} from {city}, I'm calling about the {artifact} I ordered {past}
{hello}, I have a question about my {account}, it looks like somebody took {money} {past}
{hello}, I'd like to know if you have {a:service} {when}, {clause}
{hello}, is this the {place} on {street}?
{hello}, I was just talking to {first} about my {item}, but we got cut off
{hello}, I need {a:vehicle} from {address} to the {place} {when}
{hello}, do you still have the {artifact} for {money}?
{hello}, can I get {dish} and {drink} delivered to {address}?
I called {past} and somebody told me that {clause}
I've called {number2} times about the {wordnoun}, and {um} nobody could tell me anything
could you please check if {first} {last} has {done}?
{thanks}, you've been very helpful, {bye}
{thanks}, I'll {errand} then
okay, let me write that down, {digits4}, and then {digits4}?
okay, so that's {dish}, {drink}, and {dish}, right?
so that's {day} at {clock} for {number2}, under {last}, correct?
to confirm, you want to {errand} {when}, is that right?
sorry, the line is bad, did you say {clock} or {clock}?
sorry, who did you want to speak to, {first} or {first}?
just to be clear, it's {house} {street}, not {house} {street}
yes, that's correct, {house} {street}
yes, my date of birth is {date}
yes, the last four digits are {digits4}
yes, I'd like to {errand}, please
no, I'd rather {errand}
no, it's under the name {fullname}
no, the {color} {thing}, not the {color} one
no, I never {did2} that
one more thing, {ask} {errand}?
one more question, is the {thing} {adjword}?
before you go, {ask} {errand}?
by the way, {clause}
by the way, have you {done}?
in that case, let's {idea}
in that case, I'd like to {errand}
what would you recommend, the {thing} or the {thing}?
how would you describe the {wordnoun} in one word?
could you give me an example of {a:adjword} {wordnoun}?
I'm calling on behalf of {name}, who {did} {errand}
the reason I'm calling is that {clause}
""",
}

RULES += """
did2: said | wanted | ordered | asked for | agreed to | signed | heard | paid for
"""
