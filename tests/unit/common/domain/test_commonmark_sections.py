"""Every section of CommonMark, with the tables, emoji and scripts of real texts: what a phone shows of it.

Each row is an input, what is texted, and what WhatsApp gets where that differs. Beside this table, all 652
examples of the CommonMark specification 0.31.2 were rendered both ways: none raises, and every word that a browser
would show is in the text, but for those that this table holds too: stars between letters stay, and a ``mailto:``
goes.
"""

from __future__ import annotations

import pytest

from parley_common.domain.plain_text import to_plain_text
from parley_common.domain.whatsapp_text import whatsapp_parts

TABS = [
    pytest.param("a\tb", "a\tb", None, id="tabs: a tab within a line"),
    pytest.param("\tcode", "code", "```\ncode\n```", id="tabs: a tab before code"),
    pytest.param("-\ta\n-\tb", "- a\n- b", None, id="tabs: tabs after bullets"),
]

BACKSLASHES = [
    pytest.param(
        "\\!\\\"\\#\\$\\%\\&\\'\\(\\)\\*\\+\\,\\-\\.\\/",
        "!\"#$%&'()*+,-./",
        None,
        id="backslashes: each escaped sign",
    ),
    pytest.param("C:\\new and \\alpha", "C:\\new and \\alpha", None, id="backslashes: before a letter"),
    pytest.param("a\\\nb", "a\nb", None, id="backslashes: at the end of a line"),
    pytest.param("`\\*` \\*", "\\* *", "`\\*` *", id="backslashes: in code"),
    pytest.param("\\[a](https://b.c)", "[a](https://b.c)", None, id="backslashes: before a link"),
    pytest.param("\\\\*a*", "\\a", "\\_a_", id="backslashes: two of them"),
]

ENTITIES = [
    pytest.param("&amp; &lt; &gt; &quot; &eacute; &nbsp;x", '& < > " é \u00a0x', None, id="entities: named"),
    pytest.param("&#35; &#x1F600; &#0;", "# 😀 \ufffd", None, id="entities: numbered"),
    pytest.param("&nosuch; &x AT&T", "&nosuch; &x AT&T", None, id="entities: unknown"),
    pytest.param("`&amp;`", "&amp;", "`&amp;`", id="entities: in code"),
    pytest.param("[a](https://b.c/?x=1&amp;y=2)", "a (https://b.c/?x=1&y=2)", None, id="entities: in a URL"),
    pytest.param(
        '<a href="https://b.c/?x=1&amp;y=2">t</a>',
        "t (https://b.c/?x=1&y=2)",
        None,
        id="entities: in an HTML attribute",
    ),
]

BREAKS = [
    pytest.param("a\n\n***\n\nb", "a\n\n---\n\nb", None, id="breaks: three stars"),
    pytest.param("a\n\n___\n\nb", "a\n\n---\n\nb", None, id="breaks: three underscores"),
    pytest.param("a\n\n- - -\n\nb", "a\n\n---\n\nb", None, id="breaks: spaced"),
    pytest.param("a\n---", "a", "*a*", id="breaks: under a line it is a heading"),
    pytest.param("- a\n***\n- b", "- a\n---\n- b", None, id="breaks: between items"),
]

HEADINGS = [
    pytest.param(
        "# a\n## b\n### c\n#### d\n##### e\n###### f",
        "a\nb\nc\nd\ne\nf",
        "*a*\n*b*\n*c*\n*d*\n*e*\n*f*",
        id="headings: six levels",
    ),
    pytest.param("####### a", "####### a", None, id="headings: seven signs are none"),
    pytest.param("#5 bolt\n#hashtag", "#5 bolt\n#hashtag", None, id="headings: no space is none"),
    pytest.param("#\n## \na", "a", None, id="headings: an empty one"),
    pytest.param("## a ##", "a", "*a*", id="headings: with closing signs"),
    pytest.param("\\# a", "# a", None, id="headings: an escaped sign"),
    pytest.param("## *a* **b**", "a b", "*_a_ b*", id="headings: with emphasis"),
    pytest.param("a\nb\n===", "a\nb", "*a*\n*b*", id="headings: over two lines"),
    pytest.param("- a\n\n# b", "- a\n\nb", "- a\n\n*b*", id="headings: after a list"),
    pytest.param("> # a", "> a", "> *a*", id="headings: in a quote"),
]

CODE_BLOCKS = [
    pytest.param("~~~\na\n~~~", "a", "```\na\n```", id="code blocks: of tildes"),
    pytest.param(
        '```json\n{"a": [1, 2]}\n```',
        '{"a": [1, 2]}',
        '```\n{"a": [1, 2]}\n```',
        id="code blocks: with a language",
    ),
    pytest.param("``` python title=x\na\n```", "a", "```\na\n```", id="code blocks: with an info string"),
    pytest.param("````\n```\n````", "```", "ˋˋˋ", id="code blocks: longer fences"),
    pytest.param("```\na", "a", "```\na\n```", id="code blocks: unclosed"),
    pytest.param("a\n\n```\n```\n\nb", "a\n\nb", None, id="code blocks: empty"),
    pytest.param(
        "a\n\n    b\n      c\n\nd", "a\n\nb\n  c\n\nd", "a\n\n```\nb\n  c\n```\n\nd", id="code blocks: indented"
    ),
    pytest.param("```\na\n\n\nb\n```", "a\n\n\nb", "```\na\n\n\nb\n```", id="code blocks: blank lines in it"),
    pytest.param("> ```\n> a\n> ```", "> a", "> ```\n> a\n> ```", id="code blocks: in a quote"),
    pytest.param(
        "```\n<b>a</b> &amp;\n```", "<b>a</b> &amp;", "```\n<b>a</b> &amp;\n```", id="code blocks: HTML in it"
    ),
]

CODE_SPANS = [
    pytest.param("`a`", "a", "`a`", id="code spans: one"),
    pytest.param("``a ` b``", "a ` b", None, id="code spans: two ticks"),
    pytest.param("`a  b`", "a  b", "`a  b`", id="code spans: spaces kept"),
    pytest.param("`a\nb`", "a b", "`a b`", id="code spans: over lines"),
    pytest.param("*a`*`", "*a*", "∗a∗", id="code spans: before emphasis"),
    pytest.param("`a", "`a", None, id="code spans: unclosed"),
    pytest.param("`[a](b)`", "[a](b)", "`[a](b)`", id="code spans: a link in it"),
    pytest.param("``` `` ```", "``", None, id="code spans: ticks only"),
]

EMPHASIS = [
    pytest.param("*a*", "a", "_a_", id="emphasis: stars"),
    pytest.param("_a_", "a", "_a_", id="emphasis: underscores"),
    pytest.param("**a** __b__", "a b", "*a* *b*", id="emphasis: double"),
    pytest.param("***a***", "a", "*_a_*", id="emphasis: triple"),
    pytest.param(
        "**a *b* c** and *d **e** f*", "a b c and d e f", "*a _b_ c* and _d *e* f_", id="emphasis: in each other"
    ),
    pytest.param("*a***b**", "a**b**", "_a_∗∗b∗∗", id="emphasis: beside each other"),
    pytest.param("**a* b", "*a b", "*_a_ b", id="emphasis: unbalanced"),
    pytest.param("*** a", "*** a", "∗∗∗ a", id="emphasis: more stars than letters"),
    pytest.param('*"a"*', '"a"', '_"a"_', id="emphasis: around a quotation"),
    pytest.param("(*a*) [*b*]", "(a) [b]", "(_a_) [_b_]", id="emphasis: in brackets"),
    pytest.param("**Total:** $5", "Total: $5", "*Total:* $5", id="emphasis: before a colon"),
    pytest.param("2*3*4", "2*3*4", None, id="emphasis: stars between digits"),
    pytest.param("a*b*c", "a*b*c", None, id="emphasis: stars between letters"),
    pytest.param(
        "snake_case_name __init__.py",
        "snake_case_name __init__.py",
        "snake_case_name ˍˍinitˍˍ.py",
        id="emphasis: underscores within words",
    ),
    pytest.param("__init__", "init", "*init*", id="emphasis: a dunder alone"),
    pytest.param("2**10 and x**y**z", "2**10 and x**y**z", None, id="emphasis: powers"),
    pytest.param("*) from $5", "*) from $5", None, id="emphasis: a footnote star"),
    pytest.param("*.py and *.txt", "*.py and *.txt", None, id="emphasis: wildcards"),
    pytest.param("src/**/*.py", "src/**/*.py", "src/∗∗/∗.py", id="emphasis: a glob"),
    pytest.param("a * b * c", "a * b * c", None, id="emphasis: stars with spaces"),
    pytest.param("~~a~~ and ~b~", "~a~ and ~b~", "~a~ and ∼b∼", id="emphasis: struck"),
    pytest.param("**a\nb**", "a\nb", "*a*\n*b*", id="emphasis: over lines"),
    pytest.param("**a\n\nb**", "**a\n\nb**", None, id="emphasis: not over paragraphs"),
    pytest.param("**你好**世界", "你好世界", None, id="emphasis: Chinese"),
    pytest.param("**مرحبا** بك", "مرحبا بك", "*مرحبا* بك", id="emphasis: Arabic"),
    pytest.param("นี่**หนา**มาก", "นี่หนามาก", None, id="emphasis: Thai"),
    pytest.param("**🎉 Done!** ✅", "🎉 Done! ✅", "*🎉 Done!* ✅", id="emphasis: with an emoji"),
    pytest.param(
        "obj.__class__.__name__ and main.__init__()",
        "obj.__class__.__name__ and main.__init__()",
        "obj.ˍˍclassˍˍ.ˍˍnameˍˍ and main.ˍˍinitˍˍ()",
        id="emphasis: a name with dots",
    ),
]

LINKS = [
    pytest.param("[a](https://b.c)", "a (https://b.c)", None, id="links: inline"),
    pytest.param('[a](https://b.c "t")', "a (https://b.c)", None, id="links: with a title"),
    pytest.param("[a [b]](https://c.d)", "a [b] (https://c.d)", None, id="links: with brackets in the text"),
    pytest.param("[a](https://b.c/d_(e))", "a (https://b.c/d_(e))", None, id="links: with brackets in the URL"),
    pytest.param("[a](<https://b.c/d e>)", "a (https://b.c/d e)", None, id="links: with an angle URL"),
    pytest.param("[](https://b.c)", "https://b.c", None, id="links: empty"),
    pytest.param("[a]()", "a", None, id="links: without a target"),
    pytest.param("[a](/b/c)", "a (/b/c)", None, id="links: relative"),
    pytest.param("[a][b]\n\n[b]: https://c.d", "a (https://c.d)", None, id="links: full reference"),
    pytest.param("[a][]\n\n[a]: https://c.d", "a (https://c.d)", None, id="links: collapsed reference"),
    pytest.param("[a]\n\n[a]: https://c.d", "a (https://c.d)", None, id="links: shortcut reference"),
    pytest.param("[a][b]", "[a][b]", None, id="links: a missing reference"),
    pytest.param("[A]\n\n[a]: https://c.d", "A (https://c.d)", None, id="links: case does not matter"),
    pytest.param(
        "[a [b](https://c.d) e](https://f.g)",
        "[a b (https://c.d) e](https://f.g)",
        None,
        id="links: nested is impossible",
    ),
    pytest.param("[a] (https://b.c)", "[a] (https://b.c)", None, id="links: spaces before the bracket"),
    pytest.param("[a](https://b.c d)", "[a](https://b.c d)", None, id="links: a space in the URL"),
    pytest.param("*[a](https://b.c)*", "a (https://b.c)", "_a_ (https://b.c)", id="links: emphasis around"),
    pytest.param("[call](tel:+15551234567)", "call (+15551234567)", None, id="links: with a number"),
    pytest.param("[write](mailto:a@b.c?subject=x)", "write (mailto:a@b.c?subject=x)", None, id="links: by mail"),
    pytest.param("[b.c](https://b.c) https://b.c", "https://b.c https://b.c", None, id="links: twice the same"),
]

IMAGES = [
    pytest.param("![a](https://b.c/d.png)", "a (https://b.c/d.png)", None, id="images: with alt"),
    pytest.param("![](https://b.c/d.png)", "https://b.c/d.png", None, id="images: without"),
    pytest.param("![a][b]\n\n[b]: https://c.d/e.png", "a (https://c.d/e.png)", None, id="images: a reference"),
    pytest.param(
        "![*a*](https://b.c/d.png)", "a (https://b.c/d.png)", "_a_ (https://b.c/d.png)", id="images: with emphasis"
    ),
    pytest.param(
        "[![a](https://b.c/d.png)](https://e.f)",
        "a (https://b.c/d.png) (https://e.f)",
        None,
        id="images: as a link",
    ),
]

AUTOLINKS = [
    pytest.param("<https://b.c/d?e=f>", "https://b.c/d?e=f", None, id="autolinks: a URL"),
    pytest.param("<a@b.c>", "a@b.c", None, id="autolinks: mail"),
    pytest.param("<irc://b.c:22>", "irc://b.c:22", None, id="autolinks: another scheme"),
    pytest.param("<https://b.c d>", "<https://b.c d>", None, id="autolinks: with a space it is none"),
    pytest.param("see https://b.c/d.", "see https://b.c/d.", None, id="autolinks: bare"),
    pytest.param("(https://b.c/d)", "(https://b.c/d)", None, id="autolinks: bare in brackets"),
    pytest.param(
        "https://en.wikipedia.org/wiki/A_(b)",
        "https://en.wikipedia.org/wiki/A_(b)",
        None,
        id="autolinks: bare with brackets",
    ),
    pytest.param("www.b.c/d_e_f", "www.b.c/d_e_f", None, id="autolinks: bare without a scheme"),
    pytest.param(
        "https://b.c, https://d.e!", "https://b.c, https://d.e!", None, id="autolinks: bare before a comma"
    ),
    pytest.param(
        "https://b.c/*a*/_b_/~c~?d=[e]", "https://b.c/*a*/_b_/~c~?d=[e]", None, id="autolinks: bare with signs"
    ),
]

HTML = [
    pytest.param("<b>a</b> <em>b</em>", "a b", "*a* _b_", id="HTML: inline"),
    pytest.param("a<br>b<br />c", "a\nb\nc", None, id="HTML: breaks"),
    pytest.param("<p>a</p>\n\n<p>b</p>", "a\n\nb", None, id="HTML: paragraphs"),
    pytest.param("<ul><li>a</li><li>b</li></ul>", "- a\n- b", None, id="HTML: an unordered list"),
    pytest.param("<ol>\n  <li>a</li>\n  <li>b</li>\n</ol>", "1. a\n2. b", None, id="HTML: an ordered list"),
    pytest.param(
        "<ol>\n\n<li>a</li>\n\n<li>b</li>\n\n</ol>", "1. a\n\n2. b", None, id="HTML: items over paragraphs"
    ),
    pytest.param(
        "<ul><li><p>a</p></li><li></li><li>b</li></ul>", "- a\n-\n- b", None, id="HTML: paragraphs in items"
    ),
    pytest.param(
        "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n- b\n2. c", None, id="HTML: a list in a list"
    ),
    pytest.param('<a href="https://b.c" target=_blank>a</a>', "a (https://b.c)", None, id="HTML: a link"),
    pytest.param("<h2>a</h2>b", "a\nb", "*a*\nb", id="HTML: a heading"),
    pytest.param(
        "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>",
        "a b\n1 2",
        None,
        id="HTML: a table",
    ),
    pytest.param("<del>$5</del> <s>$4</s> $3", "~$5~ ~$4~ $3", None, id="HTML: struck"),
    pytest.param("<code>a</code> <pre>b\n c</pre>", "a\nb\nc", "`a`\nb\nc", id="HTML: code"),
    pytest.param("a<script>alert('b < c')</script>d", "ad", None, id="HTML: a script"),
    pytest.param(
        "a\n<script>\nlet b = 1;\n\n- let *c* = 2;\n</script>\nd",
        "a\n\nd",
        None,
        id="HTML: a script over paragraphs",
    ),
    pytest.param(
        "<style>\np { color: red }\n\nb { x: y }\n</style>\n<p>a</p>", "a", None, id="HTML: a style sheet"
    ),
    pytest.param("a <!-- b\n\nc --> d", "a  d", None, id="HTML: a comment over paragraphs"),
    pytest.param(
        "use `<script>x</script>` or\n```\n<script>y</script>\n```",
        "use <script>x</script> or\n<script>y</script>",
        "use `<script>x</script>` or\n```\n<script>y</script>\n```",
        id="HTML: a script in code",
    ),
    pytest.param("a <script> b", "a <script> b", None, id="HTML: a script that never ends"),
    pytest.param(
        "<!DOCTYPE html>\n"
        "<html>\n"
        "  <head>\n"
        "    <title>T</title>\n"
        "    <style>p {}</style>\n"
        "  </head>\n"
        "  <body>\n"
        "\n"
        "    <h1>Hello</h1>\n"
        "\n"
        "    <p>How are <b>you</b>?</p>\n"
        "\n"
        "    <ul>\n"
        "      <li>one</li>\n"
        "      <li>two</li>\n"
        "    </ul>\n"
        "  </body>\n"
        "</html>",
        "Hello\n\nHow are you?\n\n- one\n- two",
        "*Hello*\n\nHow are *you*?\n\n- one\n- two",
        id="HTML: a whole document",
    ),
    pytest.param("<p>a &amp; b &lt;c&gt; &euro;5</p>", "a & b <c> €5", None, id="HTML: entities"),
    pytest.param("<name>, <your order>, x <y> z", "<name>, <your order>, x <y> z", None, id="HTML: placeholders"),
    pytest.param("List<String> and Map<K, V>", "List<String> and Map<K, V>", None, id="HTML: generics"),
    pytest.param("a -> b <- c => d <= e", "a -> b <- c => d <= e", None, id="HTML: arrows"),
    pytest.param("<3 </3", "<3 </3", None, id="HTML: a heart"),
]

TABLES = [
    pytest.param("|a|b|\n|:-|-:|\n|1|2|", "a: b\n1: 2", None, id="tables: aligned"),
    pytest.param("a|b\n-|-\n1|2", "a: b\n1: 2", None, id="tables: without outer bars"),
    pytest.param("|a|b|\n|-|-|\n|x\\|y|z|", "a: b\nx|y: z", None, id="tables: escaped bars"),
    pytest.param("|a|b|\n|-|-|\n|`x`|z|", "a: b\nx: z", "a: b\n`x`: z", id="tables: code with a bar"),
    pytest.param("|a|b|c|\n|-|-|-|\n|1|\n|1|2|3|4|", "a | b | c\n1 |  |\n1 | 2 | 3", None, id="tables: ragged"),
    pytest.param("x\n|a|b|\n|-|-|\n|1|2|", "x\na: b\n1: 2", None, id="tables: right after a paragraph"),
    pytest.param("a | b\nc | d", "a | b\nc | d", None, id="tables: no table"),
    pytest.param(
        "|a|b|c|d|\n|-|-|-|-|\n|1|2|3|4|", "a | b | c | d\n1 | 2 | 3 | 4", None, id="tables: four columns"
    ),
]

QUOTES = [
    pytest.param("> a", "> a", None, id="quotes: one"),
    pytest.param("> a\nb", "> a\n> b", None, id="quotes: lazy"),
    pytest.param(">> a", "> > a", None, id="quotes: nested"),
    pytest.param("> - a\n> - b", "> - a\n> - b", None, id="quotes: with a list"),
    pytest.param("> a\n\n> b", "> a\n\n> b", None, id="quotes: two of them"),
    pytest.param(">\n> a", "> a", None, id="quotes: empty"),
    pytest.param("x > y\n> 5", "x > y\n> 5", None, id="quotes: a comparison"),
]

LISTS = [
    pytest.param("- a\n\n+ b\n\n* c", "- a\n\n+ b\n\n- c", None, id="lists: bullets of all kinds"),
    pytest.param("5. a\n6. b", "5. a\n6. b", None, id="lists: from a number"),
    pytest.param("1) a\n2) b", "1) a\n2) b", None, id="lists: with brackets"),
    pytest.param("1. a\n1. b", "1. a\n2. b", None, id="lists: all ones"),
    pytest.param("- a\n\n- b", "- a\n\n- b", None, id="lists: loose"),
    pytest.param(
        "- a\n  - b\n    - c\n      - d", "- a\n  - b\n    - c\n      - d", None, id="lists: nested three deep"
    ),
    pytest.param("- a\n  1. b\n  2. c", "- a\n  1. b\n  2. c", None, id="lists: numbers in bullets"),
    pytest.param("1. a\n\n   b\n2. c", "1. a\n\n  b\n2. c", None, id="lists: a paragraph in an item"),
    pytest.param("- a\n\n      b", "- a\n\n  b", "- a\n\n  ```\n  b\n  ```", id="lists: code in an item"),
    pytest.param("- [ ] a\n- [x] b", "- [ ] a\n- [x] b", None, id="lists: tasks"),
    pytest.param("- a\nb\n- c", "- a\n  b\n- c", None, id="lists: a line that wraps"),
    pytest.param("1986. What a year.", "1986. What a year.", None, id="lists: a year"),
    pytest.param("-5 degrees\n-6 at night", "-5 degrees\n-6 at night", None, id="lists: negative numbers"),
    pytest.param("Mon-Fri 9-17\n- Sat closed", "Mon-Fri 9-17\n- Sat closed", None, id="lists: a range"),
    pytest.param(
        "We have:\n- a\n- b", "We have:\n- a\n- b", None, id="lists: after a paragraph without a blank line"
    ),
    pytest.param("- a\n-\n- b", "- a\n-\n- b", None, id="lists: an empty item"),
]

EMOJI = [
    pytest.param("👨‍👩‍👧‍👦 *a*", "👨‍👩‍👧‍👦 a", "👨‍👩‍👧‍👦 _a_", id="emoji: a family"),
    pytest.param("🇩🇪🇫🇷 **a**", "🇩🇪🇫🇷 a", "🇩🇪🇫🇷 *a*", id="emoji: flags"),
    pytest.param("1️⃣ *one* 2️⃣ *two*", "1️⃣ one 2️⃣ two", "1️⃣ _one_ 2️⃣ _two_", id="emoji: keycaps"),
    pytest.param("*️⃣ and #️⃣", "*️⃣ and #️⃣", None, id="emoji: a star keycap"),
    pytest.param("👍🏽👍🏿 `a`", "👍🏽👍🏿 a", "👍🏽👍🏿 `a`", id="emoji: skin tones"),
    pytest.param(
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        None,
        id="emoji: tags",
    ),
    pytest.param("🏳️‍🌈 ❤️ ☺️", "🏳️‍🌈 ❤️ ☺️", None, id="emoji: a rainbow"),
    pytest.param("✅ a\n❌ b", "✅ a\n❌ b", None, id="emoji: as bullets"),
    pytest.param(":smile: :+1:", ":smile: :+1:", None, id="emoji: shortcodes"),
    pytest.param("[🎉 a](https://b.c)", "🎉 a (https://b.c)", None, id="emoji: in a link"),
]

RIGHT_TO_LEFT = [
    pytest.param("שלום 123 *עולם*", "שלום 123 עולם", "שלום 123 _עולם_", id="right to left: Hebrew with numbers"),
    pytest.param("- واحد\n- اثنان", "- واحد\n- اثنان", None, id="right to left: Arabic list"),
    pytest.param(
        "Order **A12** של *דנה*: ₪50",
        "Order A12 של דנה: ₪50",
        "Order *A12* של _דנה_: ₪50",
        id="right to left: mixed",
    ),
    pytest.param("\u200fa\u200e *b*", "\u200fa\u200e b", "\u200fa\u200e _b_", id="right to left: direction marks"),
    pytest.param(
        "\u202bאב\u202c \u2066*x*\u2069",
        "\u202bאב\u202c \u2066x\u2069",
        "\u202bאב\u202c \u2066_x_\u2069",
        id="right to left: embeddings",
    ),
    pytest.param("٣*٤*٥ = ٦٠", "٣*٤*٥ = ٦٠", None, id="right to left: Arabic numbers"),
    pytest.param(
        "می\u200cخواهم **این**", "می\u200cخواهم این", "می\u200cخواهم *این*", id="right to left: Persian joiners"
    ),
    pytest.param("ראו https://b.c/א_ב_ג עכשיו", "ראו https://b.c/א_ב_ג עכשיו", None, id="right to left: a URL"),
]

SECTIONS = [
    *TABS,
    *BACKSLASHES,
    *ENTITIES,
    *BREAKS,
    *HEADINGS,
    *CODE_BLOCKS,
    *CODE_SPANS,
    *EMPHASIS,
    *LINKS,
    *IMAGES,
    *AUTOLINKS,
    *HTML,
    *TABLES,
    *QUOTES,
    *LISTS,
    *EMOJI,
    *RIGHT_TO_LEFT,
]


@pytest.mark.parametrize(("markdown", "plain", "on_whatsapp"), SECTIONS)
def test_each_section_reads_as_it_should(markdown: str, plain: str, on_whatsapp: str | None) -> None:
    assert to_plain_text(markdown) == plain
    assert whatsapp_parts(markdown) == (plain if on_whatsapp is None else on_whatsapp,)
