import a_package_that_nobody_has


def fetch(address):
    return a_package_that_nobody_has.get(address)


def clean(text):
    return text.strip()
