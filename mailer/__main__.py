"""python -m mailer."""

from mailer.cli.main import command


def main() -> None:
    """The `mailer` command."""
    command()


if __name__ == "__main__":
    main()
