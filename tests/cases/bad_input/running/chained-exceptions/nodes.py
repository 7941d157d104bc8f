class CaseError(Exception):
    pass


class Case:
    def process(self, data):
        try:
            return [][data]
        except IndexError as error:
            error.add_note("the list is empty")
            raise CaseError(f"item {data}") from error
