import { InputError } from '../errors.ts';
import type { StringField } from './field-path.ts';
import { imageFieldsOf, isForObject } from './image-fields.ts';
import type { ImagePath } from './image-fields.ts';
import type { ImagePin } from './image-pin.ts';
import { describeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/** A pin, and where it was put. */
export interface PinnedImage extends ImagePin {
  /** `Deployment app: spec.template.spec.containers[0].image` */
  readonly places: readonly string[];
}

interface Found {
  readonly field: StringField;
  readonly place: string;
}

/**
 * Puts images into manifests, in place.
 *
 * @throws {InputError} if an image matches nothing, if two are for one place, or if one would
 *   replace different images of one name.
 */
export function pinImages(
  manifests: readonly Manifest[],
  pins: readonly ImagePin[],
  paths: readonly ImagePath[] = [],
): PinnedImage[] {
  refuseUselessPaths(manifests, paths);
  refuseRepeated(pins);
  const found = manifests.flatMap(({ object }) =>
    imageFieldsOf(object, paths).map((field): Found => ({
      field,
      place: `${describeManifest(object)}: ${field.path}`,
    })),
  );
  const chosen = pins.map((pin) => ({ pin, places: placesFor(pin, pins, found) }));
  // All are found before the first is changed: a reference may look like another pin's name.
  for (const { pin, places } of chosen) for (const { field } of places) field.set(pin.reference);
  return chosen.map(({ pin: { name, reference }, places }) => ({
    name,
    reference,
    places: places.map(({ place }) => place),
  }));
}

function placesFor({ name }: ImagePin, pins: readonly ImagePin[], all: readonly Found[]): Found[] {
  // `app:1=…` beside `app=…`: whoever is more exact has it.
  const others = new Set(pins.map((pin) => pin.name).filter((other) => other !== name));
  const places = all.filter(
    ({ field: { value } }) => value === name || (nameOf(value) === name && !others.has(value)),
  );
  if (places.length === 0) throw nothingMatches(name, all);
  const different = [...new Set(places.map(({ field }) => field.value))];
  if (different.length > 1) {
    throw new InputError(
      `Cannot replace image "${name}": the manifests have different ones of that name, ${different.join(' and ')}; want each under its own: ${different.map((image) => `${image}=…`).join(', ')}`,
    );
  }
  return places;
}

function nothingMatches(name: string, all: readonly Found[]): InputError {
  const there = [...new Set(all.map(({ field }) => field.value))];
  const known = there.length > 0 ? `those that are there: ${there.join(', ')}` : 'there is none';
  return new InputError(
    `Cannot replace image "${name}": no manifest has it; ${known}; want the name as it stands there, with or without its tag (for a custom kind, --image-path says where images are)`,
  );
}

/** Without tag and digest. */
function nameOf(image: string): string {
  const [named = ''] = image.split('@');
  const colon = named.lastIndexOf(':');
  return colon > named.lastIndexOf('/') ? named.slice(0, colon) : named;
}

function refuseRepeated(pins: readonly ImagePin[]): void {
  const names = pins.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated === undefined) return;
  throw new InputError(`Cannot replace image "${repeated}" twice; want one ${repeated}=…`);
}

function refuseUselessPaths(manifests: readonly Manifest[], paths: readonly ImagePath[]): void {
  for (const path of paths) {
    const objects = manifests.filter(({ object }) => isForObject(path, object));
    if (objects.some(({ object }) => imageFieldsOf(object, [path]).length > 0)) continue;
    const state =
      objects.length === 0
        ? `no manifest is a ${path.kind}`
        : `it leads to no text in any ${path.kind}`;
    throw new InputError(`Cannot use image path "${path.text}": ${state}; want one that is there`);
  }
}
