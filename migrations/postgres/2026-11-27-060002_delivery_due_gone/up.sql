-- Nothing finds by it any more what is due: delivery_waiting takes its place.
DROP INDEX delivery_due;
