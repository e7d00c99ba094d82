'use strict';
const by = id => document.getElementById(id);
const file = by('file');
const drop = by('drop');
const model = by('model');
const result = by('result');
let shownUrl = '';
let asked = 0;
let last;

function say(text, failed = false) {
  by('status').textContent = text;
  by('status').classList.toggle('failed', failed);
}

async function ask(path, body) {
  const token = by('token').value.trim();
  const headers = token ? {Authorization: 'Bearer ' + token} : {};
  const answer = await fetch(path, {method: 'POST', body, headers});
  const text = await answer.text();
  if (answer.status === 401) {
    by('secret').hidden = false;
    by('token').focus();
  }
  if (!answer.ok) throw new Error(JSON.parse(text).error);
  return JSON.parse(text);
}

async function listModels() {
  try {
    const models = await ask('/v2/repository/index');
    model.replaceChildren(...models.map(({name}) => new Option(name)));
    say('Ready.');
    if (last) await classify(last);
  } catch (error) {
    say(error.message, true);
  }
}

function row({class: name, probability}) {
  const percent = (100 * probability).toFixed(1);
  const item = document.createElement('li');
  const line = document.createElement('span');
  line.className = 'name';
  const words = document.createElement('span');
  words.textContent = name;
  const number = document.createElement('span');
  number.className = 'percent';
  number.textContent = percent + ' %';
  line.append(words, ' ', number);
  const track = document.createElement('span');
  track.className = 'track';
  track.setAttribute('aria-hidden', 'true');
  const bar = document.createElement('span');
  bar.className = 'bar';
  bar.style.width = percent + '%';
  track.append(bar);
  item.append(line, track);
  return item;
}

async function classify(image) {
  last = image;
  const mine = ++asked;
  result.hidden = true;
  say('Asking about ' + image.name + ' …');
  try {
    const answer = await ask('/v2/models/' + encodeURIComponent(model.value) + '/classify?top=5', image);
    if (mine !== asked) return;
    const [{top}] = answer.predictions;
    URL.revokeObjectURL(shownUrl);
    shownUrl = URL.createObjectURL(image);
    by('shown').src = shownUrl;
    by('classes').replaceChildren(...top.map(row));
    result.hidden = false;
    say(image.name + ': ' + top[0].class + ', ' + (100 * top[0].probability).toFixed(1) + ' %');
  } catch (error) {
    if (mine === asked) say(error.message, true);
  }
}

file.addEventListener('change', () => { if (file.files.length) classify(file.files[0]); });
model.addEventListener('change', () => { if (last) classify(last); });
document.querySelector('form').addEventListener('submit', event => { event.preventDefault(); listModels(); });
addEventListener('dragover', event => { event.preventDefault(); drop.classList.add('over'); });
addEventListener('dragleave', () => drop.classList.remove('over'));
addEventListener('drop', event => {
  event.preventDefault();
  drop.classList.remove('over');
  if (event.dataTransfer.files.length) classify(event.dataTransfer.files[0]);
});
listModels();
