// A user agent, as people call it. It is a claim of the client, so nothing is decided by it.

const BROWSERS = [["Edg", "Edge"], ["OPR", "Opera"], ["SamsungBrowser", "Samsung Internet"], ["Firefox", "Firefox"], ["Chrome", "Chrome"], ["Safari", "Safari"]];
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS X", "Mac"], ["CrOS", "ChromeOS"], ["Linux", "Linux"]];

export function device(userAgent) {
  const browser = BROWSERS.find(([mark]) => userAgent.includes(mark));
  const system = SYSTEMS.find(([mark]) => userAgent.includes(mark));
  const names = [browser?.[1], system?.[1]].filter(Boolean);
  return names.length > 0 ? names.join(" · ") : userAgent.slice(0, 60);
}
