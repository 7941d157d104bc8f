"""A node that uses a package in a function alone."""


class Told:
    def process(self, data):
        import six

        return [six.__version__, six.ensure_text(b"bytes"), data]
