"""`python -m acutance`."""

import sys

from acutance.cli import main

sys.exit(main())
