"""What crosses the other packages: HR's home, ECL's desk and reports. Reads only; its one verb tries dead work again."""
