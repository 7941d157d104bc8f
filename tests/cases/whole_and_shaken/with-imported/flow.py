from core import dag
with dag:
    X = 1
