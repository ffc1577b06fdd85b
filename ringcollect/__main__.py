"""``python -m ringcollect``: the same as the ``ringcollect`` script."""

from ringcollect.cli import main

if __name__ == "__main__":
    main()
