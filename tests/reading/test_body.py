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
    "commentary": (
        """
The Stream

Did the River Really Change Its Course Overnight?

By Jane Doe Published on March 3, 2017 • 14 Comments

+The river left its bed on Friday night and found another one, two miles to the east.

+Dr. Frederick Roe, a hydrologist at the state university, told The Example that “it happens once in a century.”

+“Share the load and nobody drowns,” the mayor said.

Originally published at The Example Foundation. Reprinted with permission.

Please Support The Stream: Equipping Christians to Think Clearly About the Political, Economic, and Moral Issues of Our Day.

Print Friendly, PDF & Email

Like the article? Share it with your friends! And use our social media pages to join or start the conversation! Find us on Facebook, X, Instagram, MeWe and Gab.

Inspiration
A Father Who Waits
Tom Gilson
More from The Stream
Connect with Us
""",  # noqa: E501
        Facts("Did the River Really Change Its Course Overnight?", "Jane Doe", date(2017, 3, 3)),
    ),
    "partisan": (
        """
Mayor Vows to Move Town After River Changes Course

AP Photo/John Locher

JANE DOE

3 Mar 2017

+SPRINGFIELD — The mayor vowed on Saturday to move the whole town two miles to the east.

+He tweeted:

+“We go where the river goes.”

+The council meets on Tuesday; 340 families have signed a petition against the plan.

Follow Jane Doe on Twitter @JaneDoeExample or email her at jdoe@breitbart.example.

Politics
Pre-Viral
river
Springfield

.

COMMENTS
Please let us know if you're having issues with commenting.
""",
        Facts("Mayor Vows to Move Town After River Changes Course", "Jane Doe", date(2017, 3, 3)),
    ),
    "live": (
        """
River changes course, leaving town dry
By Jane Doe, CNN
4 min read
Updated 9:14 AM EST, Sat March 4, 2017

Video Ad Feedback
+Town left dry after river moves
01:12 - Source: CNN

+Springfield, Illinois (CNN) —

+A river in Illinois has changed its course overnight and left a town of 900 people without water.

+“We woke up and it was gone,” said Ann Lee, who runs the ferry.

Ad Feedback

+The governor has declared an emergency. Tankers arrived on Saturday.

CNN’s John Smith contributed to this report.

Sign up for CNN's Wonder Theory science newsletter. Explore the universe with news on fascinating discoveries and more.
""",
        Facts("River changes course, leaving town dry", "Jane Doe", date(2017, 3, 4)),
    ),
    "letter": (
        """
Notes from the Riverbank
SubscribeSign in

What the river wants
+On losing a landscape
Jane Doe
Mar 04, 2017

43

12
Share

+I went down to the river on Saturday and it was not there. What was there was a road of stones.

Leave a comment

+My neighbour had brought a chair. He sat where the ferry used to land and read the newspaper.

Notes from the Riverbank is a reader-supported publication. To receive new posts and support my work, consider becoming a free or paid subscriber.

Subscribe

+“It will be back,” he said, and turned the page. He has lived here for 81 years.

43 Likes
12 Comments
Share this post

Previous
Next
""",  # noqa: E501
        Facts("What the river wants", "Jane Doe", date(2017, 3, 4)),
    ),
    "radio": (
        """
NATIONAL

A River Moves, And A Town Wonders What To Do

March 4, 2017 5:00 AM ET
Heard on Morning Edition

Jane Doe

LISTEN · 3:51
3-Minute Listen
Download
Transcript

+A dry riverbed in Springfield on Saturday.
+Ann Lee for NPR
hide caption
toggle caption

+People in Springfield went to bed beside a river and woke up beside a field of stones.

+The Army Corps of Engineers says it could take two years to bring the water back.

+Residents have been told to boil what comes out of the tap, and to save it.

river
Illinois
Facebook
Flipboard
Email
""",
        Facts("A River Moves, And A Town Wonders What To Do", "Jane Doe", date(2017, 3, 4)),
    ),
    "station": (
        """
by: Jane Doe
Posted: Mar 4, 2017 / 06:12 AM CST
Updated: Mar 4, 2017 / 09:40 AM CST

+SPRINGFIELD, Ill. (WXYZ) — Springfield has no river any more.

+Firefighters delivered 400 gallons of water to the school on Saturday. Sign up for text alerts began at noon.

Copyright 2017 Nexstar Media Inc. All rights reserved. This material may not be published, broadcast, rewritten, or redistributed.

Suggest a Correction
Trending Stories
Man finds boat in garden
Bridge to nowhere opens
Submit
""",
        Facts(None, "Jane Doe", date(2017, 3, 4)),
    ),
}


def _split(page: str) -> tuple[str, str]:
    """(the page as it would be copied, the text of the article in it)."""
    lines = page.strip("\n").split("\n")
    kept: list[str] = []
    for before, line in zip(["", *lines], lines):
        if line.startswith("+"):
            kept.append(("\n" if before.startswith("+") else "\n\n") + line[1:])
    return "\n".join(line.removeprefix("+") for line in lines), "".join(kept).strip()


@pytest.mark.parametrize("name", PAGES)
def test_copied_page(name: str) -> None:
    page, facts = PAGES[name]
    copied, text = _split(page)
    draft = read_plain(copied, Facts())
    assert draft.text == text
    assert (draft.facts.title, draft.facts.author, draft.facts.published) == (facts.title, facts.author, facts.published)
