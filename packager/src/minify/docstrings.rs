//! Pass: strings that are statements go, docstrings above all.
//!
//! A string that is a statement does nothing, except that the first one of a module, class or function becomes its
//! `__doc__`. Where it is all there is, `0` takes its place.

use ruff_python_ast::Stmt;

use super::removal::is_string;

/// Whether a statement goes.
pub(super) fn goes(statement: &Stmt) -> bool {
    is_string(statement)
}

#[cfg(test)]
mod tests {
    use crate::minify::Pass;
    use crate::minify::tests::{becomes, stays};

    #[track_caller]
    fn without_docstrings(before: &str, after: &str) {
        becomes(&[Pass::Docstrings], before, after);
    }

    #[test]
    fn docstrings_leave_their_newlines() {
        without_docstrings(
            "'''m'''\nclass A:\n    '''a\n\n    b'''\n    x = 1\n",
            "\nclass A:\n    \n\n\n    x = 1\n",
        );
        without_docstrings(
            "def f():\n  # c\n  \"d\"  # e\n  return 1",
            "def f():\n  # c\n    # e\n  return 1",
        );
    }

    #[test]
    fn zero_is_left_where_a_statement_must_be() {
        without_docstrings("class A: 'a'\nx = 1\n", "class A: 0\nx = 1\n");
        without_docstrings("class A:\n  'a'\n", "class A:\n  0\n");
        without_docstrings("class A:\n  '''a\n  b'''\n", "class A:\n  (0\n)\n");
        without_docstrings(
            "def f(): '''a\nb'''; return 1\n",
            "def f(): (0\n); return 1\n",
        );
        without_docstrings("'a'; x = 1\n", "0; x = 1\n");
        without_docstrings("x = 1; \\\n'a'\n", "x = 1; \\\n0\n");
        without_docstrings("if x:\n  'a'\nelse:\n  ('b')\n", "if x:\n  0\nelse:\n  0\n");
    }

    #[test]
    fn a_module_may_become_empty() {
        without_docstrings("'a'", "");
        without_docstrings("\"a\" \\\n 'b'\n", "\n\n");
    }

    #[test]
    fn concatenated_and_parenthesised_strings_are_docstrings() {
        without_docstrings("def f():\n 'a' \"b\"\n pass\n", "def f():\n \n pass\n");
        without_docstrings(
            "def f():\n (\n'a'\n'b')\n pass\n",
            "def f():\n \n\n\n pass\n",
        );
        without_docstrings("def f():\n u'a'\n pass\n", "def f():\n \n pass\n");
        without_docstrings("def f():\n R'a\\d'\n pass\n", "def f():\n \n pass\n");
    }

    #[test]
    fn the_next_string_does_not_become_the_docstring() {
        without_docstrings(
            "def f():\n 'a'\n 'b'\n return 1\n",
            "def f():\n \n \n return 1\n",
        );
        without_docstrings("x = 1\n'of x'\n", "x = 1\n\n");
    }

    #[test]
    fn what_only_looks_like_a_docstring_stays() {
        for text in [
            "def f():\n f'a'\n",
            "def f():\n 'a' f'b'\n",
            "def f():\n b'a'\n",
            "def f():\n t'a'\n",
            "def f():\n 'a' + 'b'\n",
            "def f():\n 'a'.b\n",
            "def f():\n 'a',\n",
            "def f():\n x = 'a'\n",
            "__doc__ = 'a'\n",
            "def f(x='a'): return 'a'\n",
        ] {
            stays(&[Pass::Docstrings], text);
        }
    }
}
