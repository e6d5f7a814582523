"""Copied pages as they come from different kinds of sites: what is the article, and what was copied along with it.

In the pages below "+" marks the lines of the article's text; everything else must not be in it.
"""

from __future__ import annotations

from datetime import date

import pytest

from qa.reading.draft import Facts
from qa.reading.plain import read_plain

PAGES = {
    "agency": (
        """
Skip to main content
World
Ferry with 120 aboard runs aground off Crete; all rescued
By Eleni Papadaki and Mark Ford
July 14, 2019 5:31 PM UTC Updated 2 hours ago

+ATHENS (Reuters) - A ferry carrying 120 people ran aground off the Greek island of Crete on Sunday, the coast guard said.

+All passengers were taken off by fishing boats. “We heard a bang, and then it was quiet,” said Maria Kosta, a passenger.

Advertisement · Scroll to continue

+The ship belongs to Example Lines, which said it would investigate. It had passed an inspection in May.

(Reporting by Eleni Papadaki and Mark Ford; Editing by Susan Ray)
Our Standards: The Thomson Reuters Trust Principles.
""",
        Facts("Ferry with 120 aboard runs aground off Crete; all rescued", "Eleni Papadaki, Mark Ford", date(2019, 7, 14)),
    ),
    "broadcaster": (
        """
Home > News > Science

Comet may be visible to the naked eye this week

By Victoria Gill
Science correspondent, BBC News

Published
3 July 2020

Share
Image source, Getty Images

+A comet discovered in March is getting brighter and may be seen without binoculars this week.

+It will be low above the north-eastern horizon before dawn.

More on this story
Five things to look for in the night sky
Why comets have two tails

+“You need a clear view and patience,” said Robert Massey of the Royal Astronomical Society.

+It will not come back for some 6,800 years.

Related Topics
Astronomy
Space exploration

Related Internet Links
The BBC is not responsible for the content of external sites.
""",
        Facts("Comet may be visible to the naked eye this week", "Victoria Gill", date(2020, 7, 3)),
    ),
    "cable": (
        """
POLITICS
Published August 9, 2021 11:02am EDT
Senate passes bridge bill after long night
By Jane Doe , John Roe | Fox News

Facebook
Twitter
Flipboard
Comments
Print
Email

+The Senate passed a bill on Tuesday that pays for the repair of 4,000 bridges, after a session that lasted until dawn.

CLICK HERE TO GET THE FOX NEWS APP

+The vote was 69 to 30. Nineteen senators crossed the aisle.

+HOUSE LEADERS PROMISE QUICK VOTE

+“Follow the money and you will find the votes,” one of them said.

Fox News' Chad Smith contributed to this report.

Jane Doe is a politics reporter for Fox News Digital. Story tips can be sent to jane.doe@example.com and on Twitter: @JaneDoe.
""",
        Facts("Senate passes bridge bill after long night", "Jane Doe, John Roe", date(2021, 8, 9)),
    ),
    "blog": (
        """
The Tidy Gardener
Home About Archive Contact

Why your tomatoes split, and what to do about it

Posted by Ann Lee on May 4, 2018 | 12 Comments

+Tomatoes split when they drink too fast. After a dry week the skin is stiff, and then the rain comes.

+Three things help.

+- Water a little every day
+- Mulch with straw
+- Pick early when a storm is forecast

+Sign up began in March for the seed swap, and 300 people came. Next year we will need a bigger hall.

Share this:
Click to share on Twitter (Opens in new window)
Click to share on Facebook (Opens in new window)
Like this:
Like Loading...

Related
How to prune a plum
The trouble with slugs

Filed under: Vegetables
Tagged with: tomatoes, rain

3 thoughts on “Why your tomatoes split, and what to do about it”

Bob says:
May 5, 2018 at 9:14 am
Mine split every year. I blame the cat.
Reply

Leave a Reply
Your email address will not be published. Required fields are marked *
Copyright © 2018 The Tidy Gardener
""",
        Facts("Why your tomatoes split, and what to do about it", "Ann Lee", date(2018, 5, 4)),
    ),
    "newspaper": (
        """
Opinion | The case for slow trains
The case for slow trains
Jane Doe

+A night on the rails costs less than a hotel, and the view is better

Tue 3 Mar 2020 06.00 GMT

Last modified on Wed 4 Mar 2020 10.12 GMT

+The best way to cross a continent is to do it badly. I left Lisbon on a Tuesday and arrived in Warsaw on a Friday.

+Nobody on the train was in a hurry. A retired baker taught me a card game whose rules I still do not know.

+Copyright law was changed in 1976, and Twitter was founded in 2006; the night train is older than both.

Jane Doe is a travel writer

Topics
Rail travel
Opinion
Reuse this content
""",
        Facts("The case for slow trains", "Jane Doe", date(2020, 3, 3)),
    ),
    "republished": (
        """
How bees count

+Bees can count to four, and some of them understand zero.

+That is the result of a study in which 14 bees were trained for two days.

+Read the numbers again: four dots, two days, one drop of sugar.

This article originally appeared on The Conversation.

Sign up for our weekly briefing
Stories that surprise, every Saturday. You can unsubscribe at any time.

Thank you for subscribing!

Most Read
1. A shark that walks
2. The oldest tree
3. Why cats purr
""",
        Facts("How bees count", None, None),
    ),
}


def _split(page: str) -> tuple[str, str]:
    """(the page as it would be copied, the text of the article in it)."""
    lines = page.strip("\n").split("\n")
    kept: list[str] = []
    for before, line in zip(["", *lines], lines):
        if line.startswith("+"):
            item = line.startswith("+- ") and before.startswith("+- ")
            kept.append(("\n" if item else "\n\n") + line[1:])
    return "\n".join(line.removeprefix("+") for line in lines), "".join(kept).strip()


@pytest.mark.parametrize("name", PAGES)
def test_copied_page(name: str) -> None:
    page, facts = PAGES[name]
    copied, text = _split(page)
    draft = read_plain(copied, Facts())
    assert draft.text == text
    assert (draft.facts.title, draft.facts.author, draft.facts.published) == (facts.title, facts.author, facts.published)
