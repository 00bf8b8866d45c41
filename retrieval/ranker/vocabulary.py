"""The words that made-up news is put together from; see `retrieval.ranker.synthetic`.

An order of words is part of what a seed gives: add at the end only.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.strip().splitlines())


FIRST = _words("""
Anna Omar Li Peter Maria Rajiv Sofia Ahmed Elena Kofi Yuki Carlos Ingrid Tariq Grace Pavel Amina
Bruno Chen Fatima Gordon Helen Igor Jana Karim Laura Marek Nadia Oscar Priya Said Vera
""")
LAST = _words("""
Weber Haddad Novak Okafor Tanaka Sharma Lindqvist Moreno Petrov Khan Osei Dubois Costa Yilmaz Murray
Nguyen Rossi Brandt Castillo Fraser Ibrahim Jensen Kowalski Larsen Mbeki Nasser Ortiz Park Rahman
Silva Takeda Ullman Vargas Whitfield Zhang Bakker Chowdhury Demir Eriksen Farouk
""")
PLACES = _words("""
Norway Kenya Brazil Turkey Japan Poland Egypt Vietnam Chile Ghana Serbia Jordan Nepal Peru Iceland
Latvia Qatar Morocco Canada Portugal Sudan Bolivia Greece Armenia Malaysia Uganda
""")
CITIES = _words("""
Geneva Oslo Cairo Lima Tokyo Ankara Nairobi Vienna Doha Lisbon Warsaw Accra Riga
""")
DAYS = _words("""
Monday Tuesday Wednesday Thursday Friday Saturday Sunday
""")
MONTHS = _words("""
January February March April May June July August September October November December
""")
UNITS = _words("""
people troops houses workers passengers schools villages families
""")
POSTS = _lines("""
foreign minister
defence minister
prime minister
president
finance minister
ambassador
army chief
opposition leader
interior minister
central bank governor
trade minister
""")
OFFICES = _lines("""
the foreign ministry
the defence ministry
the state news agency
a government statement
the prime minister's office
officials
a spokesperson for the ministry
police
""")
EVENTS = _lines("""
the border clash
the ceasefire talks
the rail strike
the flood
the election
the attack on the convoy
the bank merger
the harbour fire
the trade dispute
the prisoner exchange
""")
ACTS = _lines("""
reopen the border crossing
release the detained crew
lower the tariffs on steel
withdraw its troops from the valley
work together on flood relief
join the investigation
sign the fishing treaty
recall its ambassador
restore direct flights
share intelligence on the bombing
ease tensions along the river
pay the overdue gas bill
show restraint
cooperate with inspectors
halt the dam project
accept the mediator's plan
extend the visa programme
""")
CLAUSES = _lines("""
the army was ready for any attack
the peace talks would resume soon
the reactor would be shut down
the sanctions had failed
the hostages were safe
no ransom had been paid
the budget would not be cut
the treaty needed new terms
the victims deserved justice
the airport would stay closed
the vote had been fair
the drought was the worst in decades
the factory would reopen
the country stood with the families of the dead
talks had reached a dead end
""")
DEEDS = _lines("""
violating the ceasefire
backing armed groups
hiding the true cost of the bridge
leaking secret files
blocking aid deliveries
dumping cheap grain
spying on diplomats
rigging the tender
harbouring the suspects
spreading false reports
""")
TOPICS = _lines("""
the water treaty
fishing rights
the detained journalists
the price of gas
border security
the new railway
climate aid
the refugee camps
counter-terrorism
the mining licence
""")
CAUSES = _lines("""
a dispute over wages
a leak in the cooling system
heavy rain
a collapse in exports
threats against staff
a shortage of fuel
a court ruling
damage to the runway
a failed inspection
""")
HAPPENED = _lines("""
were killed
were injured
were evacuated
were detained
lost power
were rescued
were displaced
""")
