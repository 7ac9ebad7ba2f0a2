"""What checks of pages share: what did not hold, and how wide a phone is."""

# Pixels.
PHONE = 390


class Report:
    """Counts what was checked and what did not hold."""

    def __init__(self):
        self.count = 0
        self.failures = []

    def expect(self, holds, text):
        self.count += 1
        if not holds:
            self.failures.append(text)
