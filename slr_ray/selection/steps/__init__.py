"""Rules of step-by-step semi-supervision: one file a published rule."""
