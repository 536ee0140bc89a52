// Copyright (c) 2026, leadops.dynamics365 contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Leads the real host names to the emulator, as an entry of a local resolver would, and from port 443 to the emulator's.
// DynamicsWebApi's own proxy option is of no use for that: it sends the proxy's name in the Host header inside the tunnel.
import tls from "node:tls";

const connect = tls.connect;
const port = Number(process.env.EMULATOR_PORT);
tls.connect = (options, ...more) => {
  const name = options.servername || options.host;
  return connect({ ...options, host: "127.0.0.1", port, servername: name === "127.0.0.1" ? "localhost" : name }, ...more);
};
