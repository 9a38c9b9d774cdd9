"""The stack of template.yaml on one machine: emulator, deployment, demos, the pretend partner and modems they need."""
