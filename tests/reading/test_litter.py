"""Which lines are litter, and which real sentences look like it and must stay."""

from __future__ import annotations

import re

import pytest

from qa.reading import litter
from qa.reading import litter_rules as rules

LITTER = """
Follow Saagar Enjeti on Twitter
Follow Saagar Enjeti on TwitterSend tips to [email protected].
Follow Jane Doe on Twitter @janedoe.
Follow her on Twitter: @janedoe
Follow John Doe on Twitter @johndoe or on Facebook.
Follow us on Facebook, Twitter and Instagram for more updates.
Follow @janedoe
You can follow Jane Doe on X at @janedoe.
Jane Doe can be reached at jane.doe@example.com.
Send tips to [email protected].
Send tips to berlin@continental-courier.example
Got a tip? Write to our astronomy desk at tips@science-weekly.example.
Have a news tip? Email us at news@example.com
[email protected]
Email: jane@example.com
Contact the author at jane@example.com
Copyright 2016 Daily Caller News Foundation
Copyright © 2021 Nexstar Media Inc. All rights reserved.
© 2022 Example Media Ltd. All rights reserved.
© Guardian News & Media Limited 2021
(c) 2019 The Associated Press
All rights reserved.
Copyright 2021 Nexstar Media Inc. All rights reserved. This material may not be published, broadcast, rewritten, or redistributed.
Print Friendly, PDF & Email
Print this article
Like the article? Share it with your friends! And use our social media pages to join or start the conversation! Find us on Facebook, Twitter, Instagram, MeWe and Gab.
Liked this story?
Share this article
Share this article on Facebook
Share on Facebook
Share this:
Click to share on Twitter (Opens in new window)
Tweet this
Like us on Facebook
Join the conversation
Sign up for our newsletter
Sign up for the free weekly briefing from our science desk.
Get the week’s best reporting from Europe in your inbox every Friday.
Subscribe to our newsletter
Subscribe now
Join 42,000 readers who get our astronomy newsletter every Friday.
Enter your email address
By signing up, you agree to our Terms of Use and Privacy Policy.
By signing up you will receive emails from us, and you agree to our privacy policy.
Thanks for subscribing!
You can unsubscribe at any time.
Already a subscriber? Log in
Advertisement
ADVERTISEMENT
- Advertisement -
Story continues below advertisement
Sponsored content
Read more: Ten places where you can still see the Wall
READ MORE: How the bridge was built
ALSO READ: Five things to know
Related: Why eastern Germany votes differently
RELATED ARTICLE: The border guard who kept a diary
Watch: How the tunnel was dug
Click here to read the full report
CLICK HERE TO GET THE FOX NEWS APP
Read the full story here.
Photo by Ana Silva
(Photo by Ana Silva/Getty Images)
Photo: AP
Photograph: Ana Silva/The Guardian
Image credit: NASA/JPL
Image source, Getty Images
Getty Images
Credit: ESA/Hubble
We use cookies to make this site work and to show you advertising.
This website uses cookies to improve your experience. By continuing to use this site you agree to our use of cookies.
Accept all cookies
This article originally appeared on The Conversation.
This story was originally published by Kaiser Health News and is republished with permission.
A version of this article appears in print on July 14, 2016, Section A, Page 1 of the New York edition with the headline: Limits.
This article is more than 5 years old
This post contains affiliate links.
0 Comments
12 comments
Comments (12)
Leave a comment
Leave a Reply
View all comments
Comments are closed.
1.2K Shares
345 likes
Skip to main content
Back to top
Home > World > Europe
Home » News » Science
Home / World / Europe
Tags: black holes, radio astronomy
Filed under: Politics, World
Listen 5 min
Listen to this article
5 min read
Reading time: 5 minutes
Support independent journalism
Enjoying this story? Get The Long View in your inbox twice a month.
Like what you’re reading? Join 40,000 readers of the Letter. Sign up here.
Spotted a mistake? Email corrections@example.com
Comments on this piece are now closed.
Download our app
The BBC is not responsible for the content of external sites.
* * *
***
———
""".strip().splitlines()  # noqa: E501

SENTENCES = """
Follow the money, he said.
Follow the money.
Follow the river north and you reach the old mill.
He asked supporters to follow him on Twitter.
“Follow us on Facebook,” the sign said.
Copyright law was changed in 1976, the court said.
Copyright is a form of property that lasts for seventy years.
Copyright in the letters belongs to the estate.
Sign up began in March and 3,000 came.
Sign up for the army, the poster said, and see the world.
Sign-ups for the newsletter doubled after the interview.
Share prices fell on Monday.
Share this bread, she told them.
Sharing on Facebook is how most people found the story.
Subscribe to that theory and the rest of physics falls apart.
Subscribers to the newspaper fell by a tenth.
Like the moon, the tide comes and goes.
Like the story itself, the ending is dark.
Like this one, the first bridge was built of stone.
Read more books, his teacher told him.
Readers of the newspaper complained.
Advertisement revenue fell by half in ten years.
Advertising paid for the paper.
Send tips about the case to the police, officers said.
Tips from the public led to the arrest.
The company uses cookies made of oats.
Cookies were invented in 1994 by Lou Montulli.
We use cookies as bait, the trapper said.
Photo by photo, the archive was saved.
Photographs by Ana Silva were shown in Paris.
Image processing took two years.
Photographs show a city in ruins.
The photo was taken by Ana Silva.
Related species live in the south of the island.
Related: the two languages share half of their words, she said.
Watch the birds and you learn when the rain comes.
Click beetles jump when they are turned on their backs.
Contact was lost at 10:56 on Tuesday.
Comments by the minister angered the unions.
Twelve comments were read out in court.
Tags were fixed to the ears of 40 seals.
Home is where the heart is.
Home prices rose by 8 percent.
Listen to the wind, the old man said.
Five minutes later the bell rang.
Download speeds doubled.
Support for the party fell.
Donations paid for the roof.
Join the army or go to prison: that was the choice.
This article of faith united the party.
This article of the constitution protects the press.
This story was first told by sailors.
The article was first published in Nature, and won a prize.
The report was published by the ministry on Monday.
A version of this story says that the king escaped.
Email made letters rare.
Enter the dragon, stage left.
Get out of the city, they were told.
Stay in your homes, the mayor told residents.
All rights reserved to the states were listed in the amendment.
Print made the reformation possible.
Print runs of 3,000 were common.
In 2016 the company had 12 shares.
The video was watched 12 million times.
By using this method, you can agree on almost anything.
He said: “Subscribe to our newsletter.”
Visit us at the lighthouse and you will understand, the keeper writes.
Related stories survive in the Norse sagas.
The records can be found at the annex.
The owl can be reached by a narrow track.
This story may not be true.
This site is protected by UNESCO.
No part of the coast may be built on.
The amendment keeps all rights reserved to the states.
The contract says that all rights are reserved.
This story was adapted from a novel by Tolstoy.
This story appeared on the front page of every newspaper.
This page was printed in Venice.
A version of this story appears in the Koran.
This video cannot be verified.
Bread is made available without charge to any citizen.
There are 120 unread messages in your inbox.
Join with your neighbours and keep the river free.
Please support the head of the animal with both hands.
Pictures, books and letters fill the house.
Images from the probe arrive tomorrow.
Produced by Apple, the phone sold out in a day.
Written by Shakespeare in a hurry, the play lasts four hours.
Reporting by telephone is common in wartime.
Most popular names are short.
More in sorrow than in anger, the king left.
Latest in the line is a boy of nine.
Home alone, the dog barked.
Comments on the plan are due in May.
""".strip().splitlines()


@pytest.mark.parametrize("line", LITTER)
def test_litter_is_recognised(line: str) -> None:
    assert litter.is_litter(line)


@pytest.mark.parametrize("line", SENTENCES)
def test_real_sentences_are_not_litter(line: str) -> None:
    assert not litter.is_litter(line)
    assert litter.without_calls_at_end(f"It rained. {line}") == f"It rained. {line}"


@pytest.mark.parametrize("rule", [*rules.CALLS, *rules.BOXES, *rules.NOTICES, *rules.LABELS, *rules.CREDITS], ids=lambda rule: rule.example)
def test_rule_matches_its_example(rule: rules.Rule) -> None:
    assert re.fullmatch(rule.pattern, rule.example, re.IGNORECASE)
    assert litter.is_litter(rule.example)


@pytest.mark.parametrize("rule", [*rules.EDGES, *rules.RELATED], ids=lambda rule: rule.example)
def test_edge_rule_matches_its_example_only_at_an_edge(rule: rules.Rule) -> None:
    assert re.fullmatch(rule.pattern, rule.example, re.IGNORECASE)
    assert litter.is_edge_litter(rule.example)
    assert not litter.is_litter(rule.example)


@pytest.mark.timeout(40)
def test_many_calls_at_the_end_cost_no_more_than_their_length() -> None:
    assert litter.without_calls_at_end("It rained." + " Follow us on Twitter." * 200_000) == "It rained."
