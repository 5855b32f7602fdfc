"""The words everything else is written in: resources, values, truth, findings, reasons."""
