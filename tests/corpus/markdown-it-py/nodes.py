"""Renders Markdown with markdown-it-py: rules by name, presets, a plugin, the tree of what was parsed."""

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdurl import encode, parse


def shout(md):
    """A plugin: a rule behind the others, and its renderer."""

    def rule(state):
        for token in state.tokens:
            for child in token.children or ():
                if child.type == "text" and child.content.endswith("!"):
                    child.type = "shout"

    md.core.ruler.push("shout", rule)
    md.add_render_rule("shout", lambda self, tokens, idx, options, env: f"<big>{tokens[idx].content}</big>")


class Render:
    def __init__(self):
        self.commonmark = MarkdownIt()
        self.js = MarkdownIt("js-default", {"typographer": True}).enable(["replacements", "smartquotes"])
        self.few = MarkdownIt("zero").enable(["emphasis", "heading"]).use(shout)

    def process(self, data):
        env = {}
        tokens = self.js.parse(data, env)
        tree = SyntaxTreeNode(tokens)
        return {
            "commonmark": self.commonmark.render(data),
            "js": self.js.renderer.render(tokens, self.js.options, env),
            "few": self.few.render(data),
            "inline": self.commonmark.renderInline(data),
            "types": [node.type for node in tree.walk()],
            "references": sorted(env.get("references", {})),
            "rules": self.few.get_active_rules()["inline"],
            "pretty": tree.pretty(indent=1),
            "url": encode(parse("http://exämple.org/a b?c=%20")._asdict()["pathname"]),
        }
