"""The rules by which litter is told, one for each sort of line, with the line that it was written for.

A pattern is for a whole line or sentence; case does not matter. Tests hold every rule to its example, and hold a list of real
sentences that look like litter against all of them: add to both when you add a rule.
"""

from __future__ import annotations

from typing import NamedTuple

SITE = (
    r"\b(?:facebook|twitter|x|instagram|linked ?in|you ?tube|tiktok|threads|mastodon|bluesky|whatsapp|telegram|pinterest|reddit|tumblr|"
    r"google(?: news| plus)?|apple (?:news|podcasts)|flipboard|mewe|gab|gettr|parler|rumble|truth social|snapchat|spotify|rss|"
    r"social media)\b"
)
SITES = rf"{SITE}(?:(?:\s*,\s*|\s+)(?:(?:and|or|&)\s+)?(?:on\s+)?{SITE})*"
ADDRESS = r"(?:[^\s@,:(]+@[^\s@,:(]+|@\w+|\[email\W*protected\]|(?:https?://|www\.)[^\s,(]+)"
PIECE = r"(?:article|story|post|piece|column|page|essay|video|episode|podcast|interview)"
BYLINE = r"(?-i:[A-Z@(])[^\s,/|&!?]*(?:[\s,/|&]+(?:(?-i:[A-Z@(])[^\s,/|&]*|for|of|and|via|the|in|de|van|von))*"  # Ana Silva/Getty Images


class Rule(NamedTuple):
    """A pattern for a whole line or sentence (case does not matter), and a line that it was written for."""

    example: str
    pattern: str


# The page calls upon its reader. Not litter when the sentence tells something: see NARRATIVE.
CALLS = [
    Rule(
        "Follow Jane Doe on Twitter @janedoe",
        rf"(?:and |you can |please |also )*follow (?:us|me|@\w+|(?:\S+ ){{0,6}}?on {SITES})"
        rf"(?:[\s:,(]+(?:at|via|and|or|here|on|{SITE}|{ADDRESS}))*\)?(?:,? for .{{1,60}}| and (?:like|find|connect|"
        rf"subscribe)\b.{{1,60}})?",
    ),
    Rule("Follow our coverage of the strike at https://example.com/strike", rf"follow .{{2,60}}\b(?:at|here:?) {ADDRESS}"),
    Rule(
        "Jane Doe can be reached at jane@example.com",
        rf".{{2,60}} can be (?:reached|contacted|followed|found) (?:at|on|via|by)\b.{{0,30}}?(?:{ADDRESS}|"
        rf"{SITES})(?: .{{0,40}})?",
    ),
    Rule(
        "Find us on Facebook, Twitter and Gab",
        rf"(?:and |please )?(?:find|like|join|visit|connect with|keep up with) (?:us|me)(?: (?:on|via|at) "
        rf"(?:{SITES}|{ADDRESS}))?",
    ),
    Rule(
        "And use our social media pages to join the conversation",
        r"(?:and |please )?(?:use|visit|see) our social media .{1,90}",
    ),
    Rule(
        "Join the conversation in the comments",
        r"(?:join|start) the (?:conversation|discussion)(?: (?:on|in|below)\b.{0,60})?|have your say",
    ),
    Rule(
        "Tell us what you think",
        rf"(?:tell us|let us know) (?:what you think|your thoughts|in the comments|on {SITES}).{{0,40}}",
    ),
    Rule(
        "Send tips to [email protected]",
        rf"(?:please )?(?:send|e-?mail|submit)(?: us)?(?: your| any| news| story)* (?:tips?(?: to .{{1,60}})?|"
        rf"(?:ideas|photos|questions|comments|feedback|corrections) to {ADDRESS})",
    ),
    Rule(
        "Got a news tip?",
        r"(?:have|got|do you have)(?: an?| any)?(?: news| story| confidential)* (?:tips?|story|question|"
        r"comment)\b.{0,60}\?",
    ),
    Rule(
        "Contact the author at jane@example.com",
        rf"(?:please )?(?:contact|e-?mail|write to|reach|message|call)(?:(?: \S+){{1,10}}? (?:at|on|via|to|"
        rf":))?\s*{ADDRESS}.{{0,30}}",
    ),
    Rule("Email: jane@example.com", rf"(?:contact|e-?mail|tips?)?\s*:?\s*{ADDRESS}"),
    Rule(
        "Share it with your friends",
        rf"share (?:it|this|the)(?: {PIECE}| news)?(?: (?:with (?:your )?friends|on {SITES}|via|"
        rf"by e-?mail)\b.{{0,60}})?:?",
    ),
    Rule(
        "Share on Facebook",
        rf"share (?:on|via|to|by|with) (?:{SITES}|e-?mail|friends)|share (?:full )?{PIECE}|share your (?:thoughts|"
        rf"story)",
    ),
    Rule(
        "Click to share on Twitter (Opens in new window)",
        r"click to (?:share|print|e-?mail|tweet|expand|enlarge|play|copy)\b.{0,60}",
    ),
    Rule(
        "Print this page",
        rf"(?:tweet|pin|print|save|bookmark|e-?mail|republish|copy|gift) (?:it|this|link|this {PIECE}|{PIECE}|"
        rf"this link)",
    ),
    Rule(
        "Liked this story?",
        rf"(?:did you )?(?:like|love|liked|loved|enjoy|enjoyed)(?: reading)? (?:this|the|our) {PIECE}\?",
    ),
    Rule("Like what you’re reading?", rf"(?:enjoying|like|liking) (?:this {PIECE}|what you(?:[’']re| are) reading)\?"),
    Rule("Spotted a mistake?", r"(?:spotted|noticed|found) (?:a|an) (?:mistake|error|typo|problem)\?"),
    Rule(
        "If you enjoyed this article, please share it",
        r"if you (?:liked?|enjoy(?:ed)?|loved?)\b.{0,40}(?:share|subscribe|consider|sign up|follow|support|"
        r"donat)\b.{0,80}",
    ),
    Rule(
        "Sign up for our weekly newsletter",
        r"(?:please )?(?:subscribe|sign[- ]?up|register)"
        r"(?: (?:to|for|with)\b.{0,90}\b(?:newsletters?|briefings?|e-?mails?|inbox|mailing list|updates|alerts?|channel|"
        r"podcast|digest)\b.{0,70}|"
        r" (?:now|today|here|for free|below))",
    ),
    Rule("Join our mailing list", r"(?:please )?join (?:our|the) (?:\S+ ){0,3}(?:newsletter|mailing list|community|channel).{0,40}"),
    Rule(
        "Join 42,000 readers who get our newsletter",
        r"join (?:more than |over )?[\d,.]+\S* (?:other )?(?:readers|subscribers|people|others|members)\b.{0,100}",
    ),
    Rule(
        "Get the Example newsletter on Thursdays",
        r"(?:get|receive|never miss)\b.{0,80}\b(?:(?:our|the) (?:\S+ ){0,5}newsletters?|push notifications?)\b.{0,60}",
    ),
    Rule(
        "The news that matters, delivered to your inbox for free",
        r"(?:get|receive|read|start|our|the (?:best|latest|news|week[’']s))\b[^.!?]{0,140}\b(?:in|to|"
        r"into) your (?:e-?mail )?inbox\b[^.!?]{0,60}|"
        r"[^.!?]{0,140}\b(?:delivered|straight|sent|direct(?:ly)?) (?:straight )?(?:in)?to your (?:e-?mail )?inbox\b[^.!?]{0,60}",
    ),
    Rule("Get our breaking news email, free app or daily news podcast", r"get our .{2,40}\b(?:e-?mail|app|podcast)\b.{0,40}"),
    Rule(
        "Enter your email address",
        r"(?:enter |type )?your e-?mail(?: address)?(?: here)?|e-?mail address|(?:please enter a |"
        r"in)valid e-?mail.{0,40}",
    ),
    Rule(
        "Thank you for subscribing",
        r"(?:thanks|thank you) for (?:subscribing|signing up|your (?:interest|subscription)|reading).{0,100}",
    ),
    Rule(
        "You have successfully subscribed",
        r"you(?:[’']ve| have|[’']re| are)(?: now| successfully| been)* (?:subscribed|signed up).{0,60}",
    ),
    Rule(
        "You can unsubscribe at any time",
        r"(?:you (?:can|may) )?unsubscribe (?:at any ?time|here).{0,60}|no spam.{0,60}",
    ),
    Rule(
        "By signing up, you agree to our Terms of Use",
        r"by (?:signing up|subscribing|submitting|clicking|continuing|entering|providing|using)\b.{0,90}\byou\b.{0,40}"
        r"\b(?:agree|consent|acknowledge) (?:to|that|you)\b.{0,200}",
    ),
    Rule(
        "Log in to continue reading",
        r"already an? (?:subscriber|member)\?|(?:log|sign) ?in|(?:log|sign) ?in (?:to|or)\b.{0,80}|"
        r"start your free trial.{0,40}",
    ),
    Rule(
        "Become a member today",
        r"become an? (?:\S+ )?(?:member|subscriber|patron|supporter)(?: (?:today|now|of)\b.{0,60})?",
    ),
    Rule(
        "Please support The Example: facts first",
        r"please (?:help |consider )?(?:support(?:ing)? (?:us|our|my|this|independent|(?-i:[A-Z])|the (?-i:[A-Z]))|"
        r"donat\w+|subscrib\w+).{0,160}",
    ),
    Rule(
        "Support independent journalism",
        r"(?:please )?(?:support|donate to|help fund) (?:us|our (?:work|journalism|site|newsroom|mission|reporting)|"
        r"(?:independent|quality|local|nonprofit) (?:journalism|media|news)).{0,80}|donate (?:now|today|here)|"
        r"sign (?:me )?up here|sign me up",
    ),
    Rule(
        "Download our app",
        r"(?:download|get|install)(?: our| the)(?: \S+){0,3} app(?: (?:now|today|here|for|on)\b.{0,40})?",
    ),
    Rule(
        "Read the full story here",
        rf"(?:read|see|watch|view)(?: the)? (?:full|original|entire|whole|rest of the) {PIECE}(?: (?:here|on|"
        rf"at)\b.{{0,60}})?",
    ),
    Rule(
        "For any questions, please contact desk@example.com",
        rf"for (?:any )?(?:questions|inquiries|enquiries|more information|media|press|further details)\b.{{0,80}}{ADDRESS}.{{0,40}}",
    ),
    Rule(
        "Click here to read more",
        r"(?:click|tap) (?:here|below|the (?:link|button|image))(?: (?:to|for|if)\b.{0,120})?|click here.{0,40}",
    ),
    Rule(
        "For more news, visit our homepage",
        r"for more (?:\S+ ){0,4}?(?:news|stories|information|coverage|updates)\b.{0,30}(?:click|visit|go to|follow|"
        r"subscribe)\b.{0,90}",
    ),
    Rule(
        "We use cookies to improve your experience",
        r"(?:we|this (?:web)?site)(?: also)? uses? (?:\S+ )?cookies (?:to|for|and|on|so)\b.{0,300}",
    ),
    Rule(
        "Manage cookie preferences",
        r"(?:accept|reject|allow|manage)(?: all| my| your)? (?:cookies?|cookie \S+|choices|privacy \S+)|"
        r"we value your privacy|your privacy matters(?: to us)?",
    ),
    Rule(
        "Please enable JavaScript to view the comments",
        r"please (?:enable|turn on|disable|upgrade|log in|sign in) .{1,120}",
    ),
]

# Two sentences of which the second is litter only because of the first.
BOXES = [
    Rule(
        "Sign up for our newsletter. Explore the universe every week.",
        r"(?:sign up|subscribe) (?:for|to) (?:our|the|(?-i:[A-Z])\S*[’']s?) [^.!?]{0,60}\bnewsletters?[.!] [^.!?]{0,200}[.!]?",
    ),
]

# Litter whatever the sentence tells.
NOTICES = [
    Rule(
        "Copyright 2016 Daily Caller News Foundation",
        r"(?:copyright|©|\(c\))\W*(?:(?:copyright|©|\(c\))\W*)?(?:\d{4}\b|by\b|all rights).{0,160}",
    ),
    Rule("© Guardian News & Media Limited 2021", r"(?:©|\(c\)\s).{1,160}|\d{4}\s*©.{0,80}"),
    Rule(
        "Nexstar Media Inc. All rights reserved",
        r"(?-i:(?:[A-Z0-9©(]\S*\s+){0,8})all rights (?:are )?reserved(?:\W+(?-i:[A-Z©]).{0,60}| worldwide)?",
    ),
    Rule(
        "This material may not be published, broadcast, rewritten, or redistributed",
        r"this (?:material|content|article|story|site) (?:may|must) not be (?:published|reproduced|copied|republished|"
        r"redistributed|broadcast|"
        r"rewritten|reprinted)\b.{0,200}",
    ),
    Rule(
        "No part of this site may be reproduced",
        r"no part of (?:this|the) .{1,60}may be (?:reproduced|copied|used|published|stored|transmitted|distributed)\b.{0,200}|"
        r"(?:reprinted|republished|reproduced|used) with permission.{0,100}|reproduction without permission .{1,40}",
    ),
    Rule("Print Friendly, PDF & Email", r"print(?:er)?[- ]friendly\b.{0,40}|(?:download|view|save)(?: as)?(?: a)? pdf"),
    Rule(
        "- Advertisement -",
        r"\W*(?:advertisements?|advertising|sponsored(?: content| post)?|promoted content|paid (?:post|content)|"
        r"skip ad\w*|ad)\W*",
    ),
    Rule("Anzeige", r"\W*(?:anzeige|werbung|publicité|publicidad|pubblicità|advertentie|реклама)\W*"),
    Rule(
        "Story continues below advertisement",
        r"(?:story|article|content) continues (?:below|after).{0,60}|scroll(?: down)? to (?:continue|keep)\b.{0,40}",
    ),
    Rule(
        "This article originally appeared on The Conversation",
        rf"this (?:news |opinion )?{PIECE}(?: is| was| has been| also)* (?:(?:originally|first|previously) (?:appeared|"
        rf"published|posted|printed|"
        rf"produced|aired)|republished|reprinted|syndicated|supplied|distributed) "
        rf"(?:in|on|at|by|from|with|here|as part|through|under)\b(?! \d).{{1,200}}",
    ),
    Rule(
        "Originally published at example.com",
        r"(?:originally|first) (?:published|appeared|posted) (?:in|on|at|by)\b.{1,120}",
    ),
    Rule(
        "A version of this article appears in print on July 14, 2016",
        rf"an? (?:\S+ )?version of this {PIECE} .{{0,40}}(?:in print|originally|first|published|edition|issue|newsletter|"
        rf"magazine)\b.{{0,250}}",
    ),
    Rule(
        "This article is more than 5 years old",
        rf"this {PIECE} is (?:more than|over) \d+ \w+ old.{{0,20}}|this {PIECE} "
        rf"(?:may )?contains? affiliate links.{{0,80}}",
    ),
    Rule(
        "We may earn a commission from links on this page",
        r"(?:we|this site) (?:may )?(?:earn|receive|get)s? an? (?:\S+ )?commission\b.{0,120}",
    ),
    Rule(
        "Content created by the foundation is available without charge to any eligible publisher",
        r".{2,150} available without charge to any .{0,60}(?:publisher|outlet)\b.{0,200}",
    ),
    Rule(
        "For licensing opportunities of our original content, please contact us",
        r"for (?:licen[sc]ing|syndication|reprint)\b.{0,30}(?:opportunities|rights|permissions?|contact|"
        r"visit)\b.{0,160}",
    ),
    Rule(
        "Republish our articles for free",
        rf"republish (?:this|our) (?:{PIECE}|articles|stories).{{0,120}}|reuse this content|(?:order|"
        rf"request) reprints.{{0,60}}",
    ),
    Rule(
        "The BBC is not responsible for the content of external sites",
        r"(?:the )?bbc is not responsible for the content of external .{1,40}",
    ),
    Rule("All republished articles must include our logo", r"all republished articles must .{1,150}"),
    Rule("You can now listen to Fox News articles!", r"(?:new)?you can now listen to .{1,40}"),
    Rule("Privacy Notice: newsletters may contain information about charities", r"privacy notice: .{1,300}"),
    Rule(
        "View image in fullscreen", r"view image in full ?screen|after newsletter promotion|add to your saved stories|comment on this story"
    ),
    Rule("Our Standards: The Thomson Reuters Trust Principles", r"our standards: .{1,80}"),
    Rule(
        "1.2K Shares",
        r"\W*\d+(?:[.,]\d+)*\s?[kmb]?\+?\s*(?:shares?|likes?|comments?|tweets?|views?|retweets?|followers|claps|"
        r"reactions)\W*",
    ),
    Rule("Comments (12)", r"\W*(?:shares?|likes?|comments?|tweets?|views?)\W*\d[\d.,]*\s?[kmb]?\W*"),
    Rule(
        "Leave a reply",
        r"(?:view|read|show|hide|load|post|leave|add|write)(?: (?:a|all|your|more|the|\d+))* (?:comments?|reply|"
        r"replies)|be the first to comment",
    ),
    Rule(
        "Please let us know if you’re having issues with commenting",
        r"please let us know if you.{0,10} having issues.{1,60}",
    ),
    Rule("Riverbank is a reader-supported publication", r".{2,80} is a reader-supported publication"),
    Rule(
        "To receive new posts, consider becoming a paid subscriber",
        r"to (?:receive new posts|support (?:my|our) work)\b.{1,120}",
    ),
    Rule("Video Ad Feedback", r"(?:video )?ad feedback|suggest a correction|(?:hide|toggle) caption"),
    Rule(
        "Comments are closed",
        r"comments?(?: on this \w+)? (?:are|is) (?:now )?(?:closed|disabled|off|moderated)|cancel reply|"
        r"required fields are marked.{0,10}",
    ),
    Rule(
        "Your email address will not be published",
        r"your e-?mail address will not be published.{0,60}|save my name, e-?mail.{0,100}|notify me of .{1,60}",
    ),
    Rule(
        "Skip to main content",
        r"(?:skip|jump) to (?:the )?(?:main |primary )?(?:content|navigation|footer|search|article|comments)|"
        r"skip (?:ad|past)\b.{0,30}",
    ),
    Rule(
        "Toggle navigation",
        r"(?:toggle|open|close|main|show|hide|expand) (?:menu|navigation|search|sidebar|caption)",
    ),
    Rule(
        "Back to top",
        r"(?:back|return|scroll) to (?:the )?(?:top|homepage|main page)|\(?opens in (?:a )?new (?:window|tab)\)?|"
        r"(?:like )?loading\W*",
    ),
    Rule(
        "Your browser does not support the video element",
        r"your browser (?:does not|doesn[’']t|is not) .{1,100}|javascript (?:is disabled|must be enabled|is required).{0,100}|"
        r"this video (?:is not available|is unavailable|can(?:not|[’']t) be played).{0,60}",
    ),
    Rule("This site is protected by reCAPTCHA", r"this (?:site|form) is protected by (?:recaptcha|hcaptcha|google).{0,120}"),
    Rule(
        "Listen to this article (5 min)",
        rf"(?:listen|play|listen to (?:this )?{PIECE})\W*\d+\s*:?\d*\s*(?:min\w*)?\W*|listen to this {PIECE}|"
        rf"listen now",
    ),
    Rule(
        "5 min read",
        r"\W*\d+[\s-]*min(?:ute)?s?(?: (?:read|listen|watch))?\W*|(?:estimated )?(?:reading|read) time\W.{0,30}",
    ),
    Rule(
        "Getty Images",
        r"\W*(?:getty(?: images)?|ap photo|shutterstock|istock|unsplash|alamy|wikimedia commons)"
        r"(?:\s*/\s*[^.!?]{2,60})?\W*",
    ),
]

# Litter when what follows the label is a headline or a list, not a sentence.
LABELS = [
    Rule(
        "Read more: Ten places where you can still see the Wall",
        r"(?:(?:read|see|watch|listen|learn) (?:more|also|next|now)|also (?:read|see|watch)|continue reading|"
        r"watch(?: live)?|related(?: \S+)?|recommended|"
        r"more (?:on this|like this)|don[’']t miss|must[- ]read|up next|you may also like|lesen sie auch|"
        r"mehr zum thema|(?:à )?lire aussi|lea también|leggi anche)"
        r"\s*(?::|\||»|›|>|\s[–—-]\s)\s*.{2,160}",
    ),
    Rule(
        "Tags: black holes, radio astronomy",
        r"(?:filed under|tags?|tagged(?: with| as)?|posted in|categor(?:y|ies)|related topics|"
        r"in this article)\s*:\s*.{1,250}",
    ),
    Rule("Home > World > Europe", r"home\s*[>»›/|→]\s*\S.{0,120}"),
]

# Who took a picture. Also litter as the last words of a caption.
CREDITS = [
    Rule(
        "(Photo by Ana Silva/Getty Images)",
        rf"\W*(?:\w+ )?(?:photos?|photographs?|images?|pictures?|illustrations?|video|graphics?) (?:by|courtesy"
        rf"(?: of)?|via|©) {BYLINE}\W*",
    ),
    Rule(
        "Photograph: Ana Silva/The Guardian",
        r"\W*(?:\w+ )?(?:photo(?:graph)?s?|images?|pictures?|illustrations?|video)(?: credits?| source)?\s*[:/|]\s*.{2,120}",
    ),
    Rule("Image source, Getty Images", r"image source,\s*.{2,90}"),
    Rule("Image credit: NASA/JPL", r"\W*(?:(?:image|photo|picture|video) )?credits?(?: and copyright)?\s*(?::|\.\.\.|…)\s*.{2,90}"),
]

# Litter only at the edge of the page or beside other litter: each could be a heading or a sentence of an article.
EDGES = [
    Rule(
        "Tweet",
        r"(?:share|tweet|pin|post|e-?mail|print|save|like|comments?|reply|copy link|link copied|gift(?: article)?|"
        r"follow(?:ing)?|bookmark)\W*",
    ),
    Rule("Facebook E-mail", rf"\W*(?:(?:{SITE}|e-?mail|print|share|tweet|save|copy link)\b\W*)+"),
    Rule(
        "Privacy Policy",
        r"(?:menu|search|home|news|my account|register|subscribe|sign ?up|donate|shop|live|advertise(?: with us)?|"
        r"about(?: us)?|contact(?: us)?|"
        r"privacy(?: policy)?|terms(?: (?:of|and|&) \w+)*|cookies?(?: policy)?|site ?map|help|faq|careers|archives?|"
        r"categories|newsletters?|rss|more|all)\W*",
    ),
    Rule(
        "Listen",
        r"(?:listen|transcript|download|watch|play|pause|video|audio|gallery|photos|close|next|previous|back|load more|show more|"
        r"see more|view all|see all|story highlights)\W*",
    ),
    Rule("Like this:", r"(?:like|share) this:?"),
    Rule("43", r"\d+(?:[.,]\d+)*[km]?"),
    Rule("Heard on Morning Edition", r"heard on [^.!?]{2,40}"),
    Rule("1:23", r"\d+:\d\d(?: / \d+:\d\d)?"),
    Rule(
        "Previous article: The border guard",
        r"(?:older|newer|previous|next) (?:post|article|story)s?(?:\s*:[^.]{2,120})?|[←→«»‹›<>]+[^.]{2,80}|[^.]{2,80}[→»›]",
    ),
    Rule("News > World > Europe", r"(?-i:[A-Z])[^.!?]{2,40}(?:\s[>»›→]\s(?-i:[A-Z])[^.!?]{2,60})+"),
    Rule(
        "(Additional reporting by Ana Silva in Paris; Editing by Jane Doe)",
        rf"\W*(?:(?:additional |with )?(?:reporting|writing|editing|compiled|edited|translation|translated|produced)(?: and \w+)? "
        rf"by {BYLINE}(?:\.(?=\S)|[;,.)\s])*)+",
    ),
    Rule(
        "The Associated Press contributed to this report",
        r".{2,120}\bcontributed(?: reporting)? to this (?:report|article|story)\.?",
    ),
    Rule("AP writers in Paris contributed", r"(?:ap|associated press|reuters|afp)\b.{2,100} contributed\.?"),
    Rule("#bees #science", r"(?:#\w+\W*)+"),
    Rule(
        "The views expressed in this article are the author’s own",
        r"(?:the )?(?:views|opinions)(?:,? (?:and )?\w+)* expressed "
        r"(?:in this|here|by (?:the author|contributors)|are (?:solely )?those)\b.{0,200}",
    ),
    Rule("Source: Example News Agency", r"(?:source|via)\s*:\s*[^.!?]{2,80}|about the authors?\W*"),
    Rule("The Morning Newsletter", r"[^.!?]{2,50}\bnewsletter"),
    Rule("Copyright The Associated Press", rf"copyright(?: the)? {BYLINE}\.?"),
    Rule("Photos", r"\W*(?:photos?|reuters|ap|afp|epa)(?:\s*/\s*[^.!?]{2,60})?\W*"),
]

# Headings of lists of links to other articles.
RELATED = [
    Rule("You may also like", r"you (?:may|might) (?:also )?(?:like|enjoy|be interested in|have missed)"),
    Rule(
        "Related stories",
        r"(?:related|recommended|suggested|popular|trending|latest|recent|featured|similar|other|top|more|promoted|"
        r"sponsored)(?: \S+)? (?:stories|articles|posts|coverage|content|links|news|reading|topics|headlines|videos)",
    ),
    Rule(
        "More from The Stream",
        r"(?:more|latest|also|elsewhere|popular|trending) (?:from|in|on|by|like this|to explore|to read)\b[^.!?]{0,60}",
    ),
    Rule(
        "Most read",
        r"most (?:popular|read|viewed|shared|commented|recent)(?: [^.!?]{0,30})?|editor[’']?s[’']? (?:picks?|choice)|"
        r"recommended for you|related|recommended|trending(?: now)?",
    ),
    Rule(
        "Read next",
        r"read (?:more|next|also|this next)|also read|see also|keep reading|continue reading|up next|"
        r"what to read next|don[’']t miss|in case you missed it",
    ),
    Rule(
        "Around the web",
        r"connect with us|follow us[^.!?]{0,40}|stay connected|from (?:around )?the web|around the web|"
        r"explore more[^.!?]{0,40}",
    ),
]

# Above readers' comments, and the traces that such comments leave.
COMMENTS = [
    Rule("12 Comments", r"\W*(?:\d[\d.,]*\s*|all |show |view )?comments?(?:\s*\(\d+\))?|leave a reply.{0,40}"),
    Rule("3 thoughts on “The tunnel”", r"(?:\d+|one) (?:thoughts?|responses?|repl(?:y|ies)) (?:on|to)\b.{0,200}"),
]
COMMENT_TRACES = [
    Rule("Jane says:", r".{1,40} says:"),
    Rule("Reply", r"reply|like|flag|report(?: abuse)?"),
    Rule("3 days ago", r"[^.!?]{0,40}\b\d+ (?:minutes|hours|days|weeks|months|years) ago"),
    Rule("July 3, 2020 at 5:00 pm", r".{0,60}\d{4},? at \d+:\d\d ?[ap]m"),
]
