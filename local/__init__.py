"""The stack of template.yaml on one machine: emulator, deployment, demo, pretend partner."""
