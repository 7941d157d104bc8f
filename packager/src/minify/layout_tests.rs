//! Layout alone, and layout after the other passes.

use super::Pass;
use super::tests::{becomes, stays};

#[track_caller]
fn laid_out(before: &str, after: &str) {
    becomes(&[Pass::Layout], before, after);
}

#[track_caller]
fn untouched(text: &str) {
    stays(&[Pass::Layout], text);
}

#[test]
fn indentation_is_one_blank_a_level() {
    laid_out(
        "if a:\n    if b:\n        c\n    d\ne\n",
        "if a:\n if b:\n  c\n d\ne\n",
    );
    laid_out("if a:\n\tif b:\n\t\tc\n", "if a:\n if b:\n  c\n");
    laid_out("if a:\n   b\nelse:\n      c\n", "if a:\n b\nelse:\n c\n");
    laid_out("if a:\n\x0c b\n\x0c\nc\n", "if a:\n b\nc\n");
}

#[test]
fn levels_beyond_the_deepest_still_have_their_indentation() {
    let nested = |width: usize| -> String {
        let block = |level: usize| format!("{:1$}if a:\n", "", level * width);
        let levels = 0..120;
        let end = format!("{:1$}b\n", "", 120 * width);
        levels.map(block).chain([end]).collect()
    };
    laid_out(&nested(2), &nested(1));
}

#[test]
fn empty_lines_and_ends_of_lines_go() {
    laid_out("\n\na\n   \n\nb  \n\n", "a\nb\n");
    laid_out("a", "a\n");
    laid_out("", "");
    laid_out("\n \n", "");
    laid_out("a;\nb ; \n", "a\nb\n");
}

#[test]
fn statements_are_neither_joined_nor_split() {
    laid_out("a ; b\n", "a;b\n");
    laid_out("if a : b ; c\n", "if a:b;c\n");
    laid_out("if a:\n  b; c;\n", "if a:\n b;c\n");
    laid_out("class A : pass\n", "class A:pass\n");
    laid_out("try : a\nexcept * E : b\n", "try:a\nexcept*E:b\n");
    untouched("if a:\n b\n");
}

#[test]
fn blanks_go_where_tokens_stay_apart() {
    laid_out(
        "a = b + c [ 1 : 2 ] . d ( * e , ** f )\n",
        "a=b+c[1:2].d(*e,**f)\n",
    );
    laid_out(
        "def f ( a : int = 1 , / , * , b ) -> c : pass\n",
        "def f(a:int=1,/,*,b)->c:pass\n",
    );
    laid_out("a < - b ; a - - b ; not a\n", "a<-b;a--b;not a\n");
    laid_out("print (a)\n", "print(a)\n");
    laid_out(
        "return_ = a if b else 'c' in d\n",
        "return_=a if b else'c'in d\n",
    );
    laid_out("x = 1 if a else 2\n", "x=1 if a else 2\n");
    laid_out("x = [1if a else 2]\n", "x=[1 if a else 2]\n");
    laid_out("x = [0x1for x in y]\n", "x=[0x1f or x in y]\n");
    laid_out(
        "1 .real\n1. .real\n1.0.real\n",
        "1 .real\n1. .real\n1.0 .real\n",
    );
    laid_out(
        "lambda : (yield)\nlambda * a , b = 1 : 2\n",
        "lambda:(yield)\nlambda*a,b=1:2\n",
    );
    laid_out("( a := 1 )\nx [ : : 2 ]\n", "(a:=1)\nx[::2]\n");
    laid_out(
        "from . import a\nfrom .. b import ( c , )\n",
        "from.import a\nfrom..b import(c,)\n",
    );
    laid_out(
        "x = ... .a\nfrom . . . import b\n",
        "x=....a\nfrom...import b\n",
    );
    laid_out(
        "@ a . b\nasync  def f ( ) : await a\n",
        "@a.b\nasync def f():await a\n",
    );
    laid_out(
        "größe = 1\nin_ = größe  is not é\n",
        "größe=1\nin_=größe is not é\n",
    );
    laid_out(
        "def f [ * T , ** P , U : int = str ] ( ) : 0\n",
        "def f[*T,**P,U:int=str]():0\n",
    );
    laid_out("type X [ T ] = list [ T ]\n", "type X[T]=list[T]\n");
    laid_out("for * a , b in c : pass\n", "for*a,b in c:pass\n");
}

#[test]
fn soft_keywords_stay_what_they_are() {
    laid_out(
        "match (a) :\n    case [ b , * _ ] if c : d\n    case - 1 | 'x' : e\n    case { ** f } : g\n",
        "match(a):\n case[b,*_]if c:d\n case-1|'x':e\n case{**f}:g\n",
    );
    laid_out("match * a , b :\n  case _ : c\n", "match*a,b:\n case _:c\n");
    laid_out(
        "match = case = type = _ = 1\nmatch (a)\n",
        "match=case=type=_=1\nmatch(a)\n",
    );
}

#[test]
fn brackets_keep_their_lines() {
    laid_out("f(a,\n  b,\n\n  c\n )\n", "f(a,\nb,\nc\n)\n");
    laid_out("if a:\n    f(\n        b)\n    c\n", "if a:\n f(\nb)\n c\n");
    laid_out("x = (a\n     if b\n     else c)\n", "x=(a\nif b\nelse c)\n");
}

#[test]
fn lines_that_a_backslash_joins_become_one() {
    laid_out("a = b + \\\n    c\n", "a=b+c\n");
    laid_out("a \\\n\nb\n", "a\nb\n");
    laid_out("f(a, \\\n  b)\n", "f(a,b)\n");
    laid_out("\\\na\n", "a\n");
}

#[test]
fn a_statement_behind_a_backslash_keeps_its_line() {
    laid_out("if a and \\\n   b: \\\n  c\n", "if a and b:\\\nc\n");
    laid_out("a ; \\\n  b\n", "a;\\\nb\n");
    laid_out("a \\\n ; b ; c\n", "a;\\\nb;c\n");
    laid_out("if a \\\n : b\n", "if a:\\\nb\n");
    laid_out("if f(a, \\\n b,\n c) : d\n", "if f(a,b,\nc):d\n");
    laid_out("x = y[a: \\\n  b]\n", "x=y[a:b]\n");
}

#[test]
fn strings_keep_their_text() {
    untouched("a='b \\\n  c'\n");
    untouched("a='''b\n\n  # c\n\t'''\n");
    untouched("f'{ a = } { b!r:>{ c } } {d:%H : %M}'\n");
    untouched("f'''{\n a   # b\n = }'''\n");
    untouched("f'{ f'{ a + b }' }'\n");
    untouched("t'{ a + b }'\n");
    laid_out("x = 'a'  'b' \"c\"  f'd'\n", "x='a' 'b'\"c\"f'd'\n");
    laid_out("x = '' 'a'\n", "x='' 'a'\n");
    laid_out("x = ('a'\n     'b')\n", "x=('a'\n'b')\n");
    laid_out("print ( f'{a}' , t'{b}' )\n", "print(f'{a}',t'{b}')\n");
}

#[test]
fn comments_stay_on_the_lines_they_are_on() {
    laid_out("# a\nx = 1  # b\n  # c\n\ny\n", "# a\nx=1# b\n# c\ny\n");
    laid_out("f(a,  # b\n\n  # c\n  d)\n", "f(a,# b\n# c\nd)\n");
    laid_out("if a:  # b\n    # c\n    d\n", "if a:# b\n# c\n d\n");
}

#[test]
fn what_other_passes_leave_is_laid_out() {
    let all = &[
        Pass::Docstrings,
        Pass::Asserts,
        Pass::Comments,
        Pass::Layout,
    ];
    becomes(
        all,
        "#!/bin/python\n'''doc'''\n\n@a  # b\n# c\n@d\nclass A:\n    '''doc'''\n    x = 1\n    'of x'\n",
        "@a\n@d\nclass A:\n x=1\n",
    );
    becomes(
        all,
        "class A:\n    '''doc\n\n    doc'''\nb\n",
        "class A:\n 0\nb\n",
    );
    becomes(all, "def f(): 'doc'; return 1\n", "def f():0;return 1\n");
    becomes(
        all,
        "if a:\n  if __debug__:\n    b\n  c\nd\n",
        "if a:\n c\nd\n",
    );
    becomes(
        all,
        "if not __debug__ :\n  import a\n",
        "if not False:\n import a\n",
    );
    becomes(
        all,
        "if a:\n  'b'\n  # c\nelse :\n  assert d, \\\n    'e'\n",
        "if a:\n 0\nelse:\n 0\n",
    );
    becomes(all, "'''doc'''  # only\n", "");
    becomes(all, "'''doc''';\n", "0\n");
}
