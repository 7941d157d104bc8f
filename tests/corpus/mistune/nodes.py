"""Renders Markdown with mistune: plugins by name, directives, renderers of its own."""

import mistune
from mistune.directives import Admonition, FencedDirective, RSTDirective, TableOfContents
from mistune.renderers.markdown import MarkdownRenderer
from mistune.renderers.rst import RSTRenderer
from mistune.toc import add_toc_hook, render_toc_ul


class Heading(mistune.HTMLRenderer):
    def heading(self, text, level, **attrs):
        return f"<p class=h{level}>{text}</p>\n"


class Render:
    def __init__(self):
        plugins = ["strikethrough", "footnotes", "table", "url", "task_lists", "def_list", "abbr", "math", "ruby"]
        self.html = mistune.create_markdown(
            escape=False, plugins=[*plugins, FencedDirective([Admonition(), TableOfContents()])]
        )
        self.own = mistune.create_markdown(
            renderer=Heading(), plugins=["mark", "spoiler", RSTDirective([Admonition()])]
        )
        self.tree = mistune.create_markdown(renderer="ast")
        self.again = mistune.create_markdown(renderer=MarkdownRenderer())
        self.rst = mistune.create_markdown(renderer=RSTRenderer())
        self.contents = mistune.create_markdown(renderer="html")
        add_toc_hook(self.contents)

    def process(self, data):
        _, state = self.contents.parse(data)
        return {
            "html": self.html(data),
            "own": self.own(data),
            "tree": self.tree(data),
            "again": self.again(data),
            "rst": self.rst(data),
            "contents": render_toc_ul(state.env["toc_items"]),
        }
