"""Where the people of the demo come from: given and family names that go together. Pure."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

# One line a language: given names | family names.
_POOLS = tuple(
    tuple(part.strip().split(", ") for part in line.split("|"))
    for line in """
    Aditi, Rohan, Kavya, Arjun, Meera, Vikram, Ananya, Siddharth | Raman, Iyer, Deshpande, Chatterjee, Kulkarni, Nair, Banerjee, Reddy
    Mateus, Beatriz, Thiago, Larissa, João, Conceição, Rafael, Inês | Oliveira, Gonçalves, Figueiredo, Araújo, Magalhães, Simões, Brandão
    Lucía, Álvaro, Ximena, Íñigo, Marta, José Luis, Nerea, Joaquín | García Márquez, Núñez, Ibáñez, Peña Soler, Gutiérrez, Ortega, Muñoz
    Tomasz, Łucja, Agnieszka, Paweł, Małgorzata, Krzysztof, Zofia | Wójcik, Kowalczyk, Dąbrowska, Zieliński, Nowak, Wiśniewska, Żak
    Hana, Ondřej, Tereza, Jiří, Zuzana, Matěj | Novotná, Dvořák, Procházková, Černý, Hájek, Šimková
    Yuki, Haruka, Kenji, Aoi, Takumi, Sakura | Tanaka, Watanabe, Kobayashi, Shimizu, Nakamura, Ōta
    Oluwaseun, Adaeze, Chukwuemeka, Folasade, Ngozi, Tunde | Adeyemi, Okonkwo, Balogun, Eze, Ogunleye, Nwosu
    Wei, Xinyi, Jiahao, Mei, Zhen, Lili | Chen, Zhang, Liu, Huang, Ouyang, Xu
    Nguyễn Minh, Thu Trang, Quốc Anh, Hoàng, Linh | Trần, Phạm, Lê, Đặng, Võ
    Zeynep, Emre, Çağla, Görkem, Ayşe, Barış | Yılmaz, Öztürk, Şahin, Kaya, Çelik, Demir
    Amira, Youssef, Layla, Karim, Noor, Hicham, Salma | Benali, El Amrani, Haddad, Mansour, Al-Khatib, Bouazza
    Søren, Freja, Åsa, Bjørn, Linnéa, Mikkel, Sigrún | Østergaard, Lindqvist, Sørensen, Åkesson, Nygård, Þórsdóttir
    Giulia, Niccolò, Chiara, Matteo, Francesca | Rossi, De Luca, Esposito, D'Angelo, Bianchi, Moretti
    Élodie, François, Maëlle, Benoît, Chloé, Gaëtan | Lefèvre, Dubois, Müller-Roche, Beaumont, Le Goff, Fournier
    Andrei, Ioana, Ștefan, Mihaela, Răzvan | Popescu, Ionescu, Munteanu, Țurcanu, Dumitrescu
    Olena, Dmytro, Oksana, Taras, Kateryna | Shevchenko, Kovalenko, Bondarenko, Hrytsenko, Melnyk
    Eleni, Dimitris, Katerina, Nikos | Papadopoulou, Georgiou, Vlachos, Karagianni
    Emily, Callum, Aoife, Ruairí, Megan, Oliver, Siân | O'Brien, MacLeod, Whitfield, Ní Dhomhnaill, Hargreaves, Llewellyn
    Madison, Ethan, Destiny, Tyler, Camila | Brooks, Nakagawa-Smith, Hernandez, Whitaker, Okafor
    Katharina, Jörg, Anneliese, Günther, Björn, Lieselotte | Schäfer, Großmann, von Ahlefeld, Weiß, Krämer, Köhler
    Siti, Budi, Dewi, Agung, Putri | Wijaya, Santoso, Kusuma, Hidayat, Pratiwi
    Farzaneh, Reza, Shirin, Behrouz, Parisa | Hosseini, Karimi, Tehrani, Moradi, Sadeghi
    Min-jun, Ji-woo, Seo-yeon, Hyun | Kim, Park, Choi, Jeong
    Anouk, Thijs, Sjoukje, Joost, Marijke, Sam | van der Meer, de Vries, in 't Veld, ten Broeke, Jansen, van den Berg
    Abebe, Selam, Dawit, Hiwot | Tesfaye, Bekele, Haile, Girma
    Bence, Réka, Gergő, Zsófia | Szabó, Kovács, Tóth, Nagy
    """.strip().splitlines()
)
_DUTCH_SPEAKING = "Anouk"
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "đ": "d", "æ": "ae", "þ": "th", "ı": "i", "Ø": "o", "Ł": "l", "Đ": "d", "Þ": "th"})


def people(chance: Random) -> Iterator[tuple[str, str, bool]]:
    """Give (given name, family name with infix, speaks Dutch at home) without end; no pair twice until all were given."""
    while True:
        pairs = [(given, family, pool[0][0] == _DUTCH_SPEAKING) for pool in _POOLS for given in pool[0] for family in pool[1]]
        chance.shuffle(pairs)
        yield from pairs


def address(given: str, family: str, domain: str) -> str:
    """Return a mail address as firms make them: first.last, in plain letters."""
    return f"{_plain(given)}.{_plain(family)}@{domain}"


def _plain(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    return "".join(letter if letter.isalnum() else "-" for letter in spread.replace("'", "").replace(" ", "")).strip("-")
