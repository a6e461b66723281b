/** Makes images and prints the paths of their archives. Usage: node test/images/make.ts [NAME ...]   (default: all) */
import { type DemoImage, demoImage } from './demo-images.ts';
import { RECIPES } from './recipes.ts';

const all = Object.keys(RECIPES) as DemoImage[];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.includes(name as DemoImage));
if (unknown.length > 0) {
  process.stderr.write(`no image ${unknown.join(', ')}; there are ${all.join(', ')}\n`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? (wanted as DemoImage[]) : all)
  process.stdout.write(`${await demoImage(name, { progress: (line) => process.stderr.write(`${line}\n`) })}\n`);
