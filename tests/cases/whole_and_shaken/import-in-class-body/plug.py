from core import R
R.append("plug")
