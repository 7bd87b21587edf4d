"""`python -m voicelip` is `voicelip`."""

from voicelip.cli import main

main()
