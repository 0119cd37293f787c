"""The comparison page: what a search found, drawn and explained. Needs the extra `report`."""
