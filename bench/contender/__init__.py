"""A contender made ready and called: built, its weights found in the framework's layout, trained."""
