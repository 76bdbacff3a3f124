"""Culture: how people work, meet and disagree here."""

from __future__ import annotations

from catalog.words import Category, Format, Place, Stage, VatBasis
from marketplace.demo.course import Course, Said

_STUDIO = "Nieuwe Rijn 46, Leiden"

COURSES = (
    Course(
        code="SB-WORK",
        partner="brugwachter",
        category=Category.CULTURE,
        title=Said("Working with the Dutch", "Werken met Nederlanders"),
        summary=Said(
            "Why nobody says “well done”, why everybody has an opinion, and why lunch is a sandwich. One day, many examples.",
            "Waarom niemand “goed gedaan” zegt, iedereen een mening heeft en de lunch een boterham is. Eén dag, veel voorbeelden.",
        ),
        about=Said(
            "A day with actors and cases from the region. You meet your own habits first and those of your Dutch colleagues after lunch. "
            "It ends with one agreement that you take back to your team.",
            "Een dag met acteurs en voorbeelden uit de regio. Eerst komt u uw eigen gewoonten tegen, na de lunch die van uw Nederlandse collega's. "
            "Aan het eind heeft u één afspraak voor uw eigen team.",
        ),
        outcomes=(
            Said("tell directness from rudeness", "directheid onderscheiden van onbeleefdheid"),
            Said("speak up in a meeting where nobody leads", "meepraten in een overleg dat niemand leidt"),
            Said("say no, and hear it, without damage", "nee zeggen, en nee horen, zonder schade"),
        ),
        included=Said("Lunch and a workbook", "Lunch en een werkboek"),
        venue=_STUDIO,
        group=(6, 14),
        lessons=(1, 420),
        price=295,
        vat=VatBasis.PROFESSIONAL_COURSE,
        demand=0.75,
        runs="-6fr0930 -2fr0930@park +2fr0930 +9fr0930 +13fr0930@oegstgeest",
    ),
    Course(
        code="SB-LEAD",
        partner="brugwachter",
        category=Category.CULTURE,
        title=Said("Leading an international team", "Leiding geven aan een internationaal team"),
        summary=Said(
            "Two days for managers with more passports than people in the room.",
            "Twee dagen voor leidinggevenden met meer paspoorten dan mensen in de kamer.",
        ),
        about=Said(
            "Who decides, who speaks first, what a deadline means: the same questions, twelve answers. You bring one situation that keeps coming back and try three ways out.",
            "Wie beslist, wie praat eerst, wat betekent een deadline: dezelfde vragen, twaalf antwoorden. U brengt één situatie mee die steeds terugkomt en probeert drie uitwegen.",
        ),
        outcomes=(
            Said("agree with your team how decisions are made", "met uw team afspreken hoe besluiten worden genomen"),
            Said("give feedback that arrives", "feedback geven die aankomt"),
            Said("see conflict coming a week earlier", "een conflict een week eerder zien aankomen"),
        ),
        included=Said("Lunches, an intake by phone, and a follow-up call", "Lunches, een telefonische intake en een gesprek achteraf"),
        place=Place.OEGSTGEEST,
        venue="Rhijngeesterstraatweg, Oegstgeest",
        group=(6, 12),
        lessons=(2, 420),
        price=690,
        vat=VatBasis.PROFESSIONAL_COURSE,
        stages=(Stage.TALENT, Stage.LIVING),
        demand=0.8,
        runs="-7tu0930 +3tu.we0930! +12tu.we0930",
    ),
    Course(
        code="SB-FEEDBACK",
        partner="brugwachter",
        category=Category.CULTURE,
        title=Said("Feedback, the Dutch way", "Feedback op z'n Nederlands"),
        summary=Said(
            "Half a day to learn the sentence that comes after “but”.",
            "Een halve dag om de zin te leren die na “maar” komt.",
        ),
        about=Said(
            "Short scenes, played and replayed: the appraisal, the e-mail in capitals, the remark in the corridor. In English, with the Dutch words that matter.",
            "Korte scènes, gespeeld en overgespeeld: het beoordelingsgesprek, de mail in hoofdletters, de opmerking op de gang. In het Engels, met de Nederlandse woorden die ertoe doen.",
        ),
        outcomes=(
            Said("hear the message behind a blunt sentence", "de boodschap achter een botte zin horen"),
            Said("give an honest opinion and stay friends", "eerlijk uw mening geven en vrienden blijven"),
        ),
        venue=_STUDIO,
        group=(6, 14),
        lessons=(1, 210),
        price=185,
        vat=VatBasis.PROFESSIONAL_COURSE,
        demand=0.6,
        runs="-4tu1300 +2tu1300 +11th0900@park",
    ),
    Course(
        code="SB-EVENING",
        partner="brugwachter",
        category=Category.CULTURE,
        title=Said("The Netherlands in one evening", "Nederland in één avond"),
        summary=Said(
            "Water, tolerance, tax and birthday circles: eight hundred years in two hours, with coffee and one biscuit.",
            "Water, tolerantie, belasting en de verjaardagskring: achthonderd jaar in twee uur, met koffie en één koekje.",
        ),
        about=Said(
            "A lecture with pictures and questions from the room, in the library. Partners and older children are welcome too.",
            "Een lezing met beelden en vragen uit de zaal, in de bibliotheek. Partners en oudere kinderen zijn ook welkom.",
        ),
        outcomes=(
            Said("know why the country looks the way it does", "weten waarom het land eruitziet zoals het eruitziet"),
            Said("survive a Dutch birthday", "een Nederlandse verjaardag overleven"),
        ),
        venue="Library at the Nieuwstraat, Leiden",
        group=(10, 30),
        lessons=(1, 120),
        price=45,
        vat=VatBasis.SERVICE,
        stages=(Stage.ORIENTATION, Stage.COMING, Stage.SETTLING),
        demand=0.4,
        runs="-3th1930 +2th1930 +10th1930",
    ),
    Course(
        code="SB-MEET",
        partner="brugwachter",
        category=Category.CULTURE,
        title=Said("Meetings and the polder: how decisions are made here", "Vergaderen en polderen: hoe hier besluiten vallen"),
        summary=Said(
            "When everybody has been heard, has anything been decided? A morning about consensus.",
            "Als iedereen gehoord is, is er dan iets besloten? Een ochtend over consensus.",
        ),
        about=Said(
            "For project leaders and researchers who wonder why a decision comes back next week. With a meeting that we play three times.",
            "Voor projectleiders en onderzoekers die zich afvragen waarom een besluit volgende week terugkomt. Met een vergadering die we drie keer spelen.",
        ),
        outcomes=(
            Said("prepare a decision before the meeting", "een besluit voorbereiden vóór het overleg"),
            Said("notice when silence means no", "merken wanneer stilte nee betekent"),
        ),
        place=Place.ZOETERWOUDE,
        venue="Dorpsstraat, Zoeterwoude",
        group=(6, 14),
        lessons=(1, 210),
        price=210,
        vat=VatBasis.PROFESSIONAL_COURSE,
        demand=0.45,
        runs="-5we0900 +10we0900 +16we0900",
    ),
    Course(
        code="SB-BIAS",
        partner="brugwachter",
        category=Category.CULTURE,
        title=Said("Hiring across cultures without bias", "Zonder vooroordeel selecteren over grenzen heen"),
        summary=Said(
            "Reads a modest CV as a weak one? Two mornings online for everybody who selects.",
            "Leest u een bescheiden cv als een zwak cv? Twee ochtenden online voor iedereen die selecteert.",
        ),
        about=Said(
            "You judge the same ten anonymous applications twice, before and after. What moved in between is what the course is about.",
            "U beoordeelt twee keer dezelfde tien anonieme sollicitaties, ervoor en erna. Wat er tussendoor verschoof, daar gaat de cursus over.",
        ),
        outcomes=(
            Said("ask every candidate the same fair questions", "elke kandidaat dezelfde eerlijke vragen stellen"),
            Said("read CVs from other systems", "cv's uit andere stelsels lezen"),
        ),
        format=Format.ONLINE,
        place=None,
        venue="",
        group=(6, 16),
        lessons=(2, 150),
        price=240,
        vat=VatBasis.PROFESSIONAL_COURSE,
        stages=(Stage.TALENT,),
        demand=0.4,
        runs="-4we0930 +8tu.th0930",
    ),
    Course(
        code="SB-HOME",
        partner="brugwachter",
        category=Category.CULTURE,
        title=Said("Going home, or moving on", "Terug naar huis, of verder"),
        summary=Said(
            "Leaving is a move too. A small group for those whose contract ends within the year.",
            "Vertrekken is ook verhuizen. Een kleine groep voor wie het contract binnen een jaar afloopt.",
        ),
        about=Said(
            "Three evenings about saying goodbye, telling what you learned, and the country that changed while you were away. Partners are welcome on their own seat.",
            "Drie avonden over afscheid nemen, vertellen wat je leerde en het land dat veranderde terwijl je weg was. Partners zijn welkom op een eigen plaats.",
        ),
        outcomes=(
            Said("make a plan for the last three months", "een plan maken voor de laatste drie maanden"),
            Said("tell an employer what these years are worth", "een werkgever vertellen wat deze jaren waard zijn"),
        ),
        venue=_STUDIO,
        group=(3, 8),
        lessons=(3, 120),
        price=320,
        vat=VatBasis.COACHING,
        stages=(Stage.LEAVING,),
        demand=0.4,
        runs="-6mo1900 +10mo1900 +19mo1900",
    ),
)
