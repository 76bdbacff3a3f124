"""Dual career: work for the partner who came along."""

from __future__ import annotations

from catalog.words import Category, Format, Language, Level, Place, PriceUnit, Stage, VatBasis
from marketplace.demo.course import Course, Said

_HOUSE = "Oude Vest 79, Leiden"

COURSES = (
    Course(
        code="TH-START",
        partner="tweedehuis",
        category=Category.DUAL_CAREER,
        title=Said("Career start for partners", "Loopbaanstart voor partners"),
        summary=Said(
            "Six meetings for the partner of an expat who wants to work here: what you can, what is asked, who to talk to.",
            "Zes bijeenkomsten voor de partner van een expat die hier wil werken: wat kun je, wat wordt er gevraagd, met wie moet je praten.",
        ),
        about=Said(
            "A group of eight with the same question and eight different professions. You leave with a CV that Dutch recruiters read, five conversations planned, and people who ask how they went.",
            "Een groep van acht met dezelfde vraag en acht verschillende beroepen. Je gaat weg met een cv dat Nederlandse recruiters lezen, vijf geplande gesprekken en mensen die vragen hoe het ging.",
        ),
        outcomes=(
            Said("say in one minute who you are and what you look for", "in één minuut zeggen wie je bent en wat je zoekt"),
            Said("find the jobs that are never advertised", "de banen vinden die nooit in een advertentie staan"),
            Said("know what your diploma is worth here", "weten wat je diploma hier waard is"),
        ),
        included=Said("A check of your CV and an hour one to one", "Een cv-check en een uur persoonlijk gesprek"),
        homework=Said("3 hours a week", "3 uur per week"),
        levels=(Level.B1, Level.C1),
        venue=_HOUSE,
        group=(5, 8),
        lessons=(6, 150),
        price=540,
        vat=VatBasis.PROFESSIONAL_COURSE,
        demand=0.8,
        runs="-1th1000 +8th1900 +12tu1000",
    ),
    Course(
        code="TH-COACH",
        partner="tweedehuis",
        category=Category.DUAL_CAREER,
        title=Said("One-to-one career coaching", "Persoonlijke loopbaancoaching"),
        summary=Said(
            "An hour about your work, your plans and the next step. In English, Dutch, Spanish or Arabic.",
            "Een uur over je werk, je plannen en de volgende stap. In het Engels, Nederlands, Spaans of Arabisch.",
        ),
        about=Said(
            "You choose a moment; the coach confirms within two working days. What is said stays in the room: the employer sees that the hour was used, and nothing else.",
            "Je kiest een moment; de coach bevestigt binnen twee werkdagen. Wat er gezegd wordt, blijft in de kamer: de werkgever ziet dat het uur gebruikt is, en verder niets.",
        ),
        outcomes=(
            Said("know your next step, and the one after", "je volgende stap weten, en die daarna"),
            Said("practise one conversation that you dread", "één gesprek oefenen waar je tegenop ziet"),
        ),
        taught_in=(Language.EN, Language.NL, Language.ES, Language.AR),
        venue=_HOUSE,
        group=(1, 1),
        lessons=(1, 60),
        price=115,
        unit=PriceUnit.HOUR,
        vat=VatBasis.COACHING,
        one_to_one=True,
        asks_partner=True,
        runs="-3th1100 -1we1500 +1th1400 +2mo1100 +2we1500 +8th1400",
    ),
    Course(
        code="TH-CV",
        partner="tweedehuis",
        category=Category.DUAL_CAREER,
        title=Said("Your CV and LinkedIn, the Dutch way", "Je cv en LinkedIn op z'n Nederlands"),
        summary=Said(
            "Two pages, no photo, one honest sentence on top. A Saturday morning with a recruiter at your table.",
            "Twee bladzijden, geen foto, één eerlijke zin bovenaan. Een zaterdagochtend met een recruiter aan tafel.",
        ),
        about=Said(
            "You bring what you have and rewrite it on the spot. After two weeks we look at it once more, by mail.",
            "Je brengt mee wat je hebt en herschrijft het ter plekke. Na twee weken kijken we er nog eens naar, per mail.",
        ),
        outcomes=(
            Said("have a CV that is ready to send", "een cv hebben dat de deur uit kan"),
            Said("be found by the recruiters of this region", "gevonden worden door de recruiters van deze regio"),
        ),
        levels=(Level.B1, Level.C2),
        place=Place.LEIDERDORP,
        venue="Statendaalder, Leiderdorp",
        group=(4, 10),
        lessons=(1, 210),
        price=165,
        vat=VatBasis.PROFESSIONAL_COURSE,
        demand=0.6,
        runs="-8sa0930 +3sa0930 +10sa0930",
    ),
    Course(
        code="TH-TALK",
        partner="tweedehuis",
        category=Category.DUAL_CAREER,
        title=Said("Job interviews in the Netherlands", "Solliciteren in Nederland"),
        summary=Said(
            "They will ask for a weakness and offer you coffee twice. Practise both.",
            "Ze vragen naar een zwak punt en bieden twee keer koffie aan. Oefen allebei.",
        ),
        about=Said(
            "Two evenings online with real vacancies. Everybody is interviewed once, by somebody who hires for a living.",
            "Twee avonden online met echte vacatures. Iedereen wordt één keer ondervraagd, door iemand die er zijn beroep van maakt.",
        ),
        outcomes=(
            Said("tell what you did in four sentences", "in vier zinnen vertellen wat je deed"),
            Said("talk about salary without blushing", "over salaris praten zonder te blozen"),
        ),
        levels=(Level.B1, Level.C2),
        format=Format.ONLINE,
        place=None,
        venue="",
        group=(4, 8),
        lessons=(2, 150),
        price=195,
        vat=VatBasis.PROFESSIONAL_COURSE,
        demand=0.55,
        runs="-5tu1930 +2tu1930 +9tu1930",
    ),
    Course(
        code="TH-OWN",
        partner="tweedehuis",
        category=Category.DUAL_CAREER,
        title=Said("Start your own business here", "Hier voor jezelf beginnen"),
        summary=Said(
            "Permit, chamber of commerce, tax, first customer. Four evenings by the sea.",
            "Vergunning, Kamer van Koophandel, belasting, eerste klant. Vier avonden aan zee.",
        ),
        about=Said(
            "With a bookkeeper, a lawyer for permits and somebody who did it last year. At the end you know whether you should, and what it costs.",
            "Met een boekhouder, een jurist voor vergunningen en iemand die het vorig jaar deed. Aan het eind weet je of je het moet doen en wat het kost.",
        ),
        outcomes=(
            Said("write a plan of two pages", "een plan van twee bladzijden schrijven"),
            Said("know which taxes you pay, and when", "weten welke belastingen je betaalt, en wanneer"),
        ),
        levels=(Level.B1, Level.C2),
        place=Place.KATWIJK,
        venue="Boulevard, Katwijk",
        group=(5, 12),
        lessons=(4, 120),
        price=240,
        vat=VatBasis.PROFESSIONAL_COURSE,
        stages=(Stage.SETTLING, Stage.LIVING),
        demand=0.45,
        runs="-7mo1930 +9mo1930",
    ),
    Course(
        code="TH-CLUB",
        partner="tweedehuis",
        category=Category.DUAL_CAREER,
        title=Said("Partners' network, spring and autumn", "Partnernetwerk, voorjaar en najaar"),
        summary=Said(
            "Five mornings with people who came along too, and one guest who hires.",
            "Vijf ochtenden met mensen die ook meekwamen, en één gast die mensen aanneemt.",
        ),
        about=Said(
            "Coffee, a subject and a walk. Nobody sells anything. Two out of three who found work here say that it began with somebody they met like this.",
            "Koffie, een onderwerp en een wandeling. Niemand verkoopt iets. Twee op de drie mensen die hier werk vonden, zeggen dat het begon met iemand die ze zo ontmoetten.",
        ),
        outcomes=(Said("know twenty people more than in August", "twintig mensen meer kennen dan in augustus"),),
        venue=_HOUSE,
        group=(6, 20),
        lessons=(5, 120),
        price=60,
        vat=VatBasis.SERVICE,
        demand=0.45,
        runs="-8fr1000 +8fr1000",
    ),
)
