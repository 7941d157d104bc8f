from helper import option
RETRIES = 5
def run(): return option("RETRIES", 1)
