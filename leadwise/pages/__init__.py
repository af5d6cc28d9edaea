"""One printed page: file to picture to ink to twelve leads in millivolts."""
