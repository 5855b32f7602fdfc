"""The time machine: rules over what AWS Config recorded, so that it is known from when to when something failed."""
