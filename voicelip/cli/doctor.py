"""`voicelip doctor`: whether this machine can do the work."""

import typer

from voicelip.cli import options as o
from voicelip.cli.terminal import Terminal


def doctor(as_json: o.Json = False) -> None:
    """Check Python, packages, device, model files and cache; exit code 1 if something is wrong."""
    with Terminal(as_json) as terminal:
        from dataclasses import asdict

        from voicelip.doctor import examine

        report = examine()
        if as_json:
            terminal.show_json(asdict(report))
        else:
            for finding in report.findings:
                mark = "ok " if finding.ok else "BAD"
                print(f"{mark}  {finding.subject:18}  {finding.detail}".rstrip())
                if finding.remedy:
                    print(f"{'':25}{finding.remedy}")
        if not report.ok:
            raise typer.Exit(1)
