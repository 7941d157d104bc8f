"""Computes with mpmath, whose functions become methods of contexts when its modules are loaded."""

import mpmath
from mpmath import fp, iv, mp


class Compute:
    def process(self, data):
        with mp.workdps(data["digits"]):
            x = mp.mpf(data["x"])
            matrix = mp.matrix([[x, 1], [2, 3]])
            values = {
                "zeta": mp.zeta(x + 1),
                "gamma": mp.gamma(x / 3),
                "erf": mp.erf(x),
                "bessel": mp.besselj(1, x),
                "hyper": mp.hyp2f1(1, 2, 3, mp.mpf("0.25")),
                "lambertw": mp.lambertw(x),
                "integral": mp.quad(lambda t: mp.exp(-t * t), [0, x]),
                "root": mp.findroot(lambda t: t**2 - x, 1),
                "derivative": mp.diff(mp.sin, x, 2),
                "sum": mp.nsum(lambda n: 1 / n**2, [1, mp.inf]),
                "determinant": mp.det(matrix),
                "solution": mp.lu_solve(matrix, [1, 2])[0],
                "complex": mp.sqrt(-x) * mp.expjpi(0.25),
                "polynomial": mp.polyval([1, 2, 3], x),
                "pi": +mp.pi,
            }
            answer = {name: mp.nstr(value, data["digits"] - 3) for name, value in values.items()}
            answer["interval"] = str(iv.mpf([1, 2]) + iv.sin(iv.mpf(1)))
        answer["identify"] = mpmath.identify(mp.sqrt(2) + 1, ["sqrt(2)"])
        answer["fast"] = round(fp.zeta(2.0), 10)
        return answer
