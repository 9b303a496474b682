"""What a run found: figures and checks."""


class Report:
    """Prints a line a check, and counts."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, claim, detail=""):
        if claim:
            self.passed += 1
        else:
            self.failed += 1
        print("%s  %s%s" % ("pass" if claim else "FAIL", name, "" if claim else "\n      " + str(detail)[:1500]), flush=True)

    @staticmethod
    def measured(text):
        print("      %s" % text, flush=True)


def quantile(values, share):
    """The smallest value that is not below this share of all."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
