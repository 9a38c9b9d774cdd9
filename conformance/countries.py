"""What a phone number begins with, by country."""

import re

# Codes of countries by what hubs call them, for those numbers that are tested most.
CODES = {
    "russia": "7",
    "kazakhstan": "7",
    "usa": "1",
    "usaphysical": "1",
    "canada": "1",
    "england": "44",
    "uk": "44",
    "germany": "49",
    "france": "33",
    "spain": "34",
    "italy": "39",
    "poland": "48",
    "brazil": "55",
    "india": "91",
    "indonesia": "62",
    "ukraine": "380",
    "uzbekistan": "998",
    "netherlands": "31",
    "portugal": "351",
    "turkey": "90",
    "austria": "43",
    "belgium": "32",
    "czech": "420",
    "romania": "40",
    "sweden": "46",
    "estonia": "372",
}
# Without a +.
E164 = re.compile(r"[1-9]\d{6,14}")
