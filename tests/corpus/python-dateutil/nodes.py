"""Dates with dateutil, whose modules are loaded when a name is asked for."""

from datetime import datetime

import dateutil
from dateutil import easter, parser, relativedelta, rrule, tz
from dateutil.utils import within_delta


class German(parser.parserinfo):
    MONTHS = [("jan", "januar"), ("feb", "februar"), ("mär", "märz"), ("apr", "april"), ("mai",), ("jun", "juni"),
              ("jul", "juli"), ("aug", "august"), ("sep", "september"), ("okt", "oktober"), ("nov", "november"),
              ("dez", "dezember")]


class Dates:
    def process(self, data):
        default = datetime(2024, 2, 29, 12)
        try:
            when = parser.parse(data["date"], default=default, parserinfo=German() if data.get("german") else None)
        except parser.ParserError as error:
            return str(error)
        naive = when.replace(tzinfo=None)
        rule = rrule.rrulestr(data.get("rule", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"), dtstart=naive)
        rules = rrule.rruleset()
        rules.rrule(rule)
        rules.exdate(rule[0])
        later = naive + relativedelta.relativedelta(months=+1, day=31, weekday=relativedelta.MO(-1))
        zone = tz.tzstr("EST5EDT,M3.2.0,M11.1.0")
        return {
            "iso": when.isoformat(),
            "offset": str(when.utcoffset()),
            "rule": str(rule).splitlines()[-1],
            "dates": [date.isoformat() for date in rules],
            "later": later.isoformat(),
            "difference": repr(relativedelta.relativedelta(later, naive)),
            "easter": [str(easter.easter(naive.year, method)) for method in (1, 2, 3)],
            "zone": [str(zone.utcoffset(naive)), zone.tzname(naive), tz.resolve_imaginary(naive.replace(tzinfo=tz.UTC)).tzname()],
            "near": within_delta(naive, default, later - naive),
            "lazy": dateutil.utils.__name__,
            "isoparse": parser.isoparse("2024-W09-4T10:00:00Z").isoformat(),
        }
