"""``python -m ringcollect.cli``."""

from ringcollect.cli import main

if __name__ == "__main__":
    main()
